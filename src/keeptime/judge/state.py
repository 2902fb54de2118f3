"""Everything that one tick hands to the next.

Guarantees: counts from a store plus `memory()` give back exactly the state that was; objectives are matched by
key, so they may come and go. Mutable: `advance` moves it on in place. Knows nothing of stores.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keeptime.contract.terms import Calendar
from keeptime.judge.days import Days
from keeptime.judge.memory import Remembered, key_hashes, pack, unpack
from keeptime.judge.periods import period_of
from keeptime.judge.plan import Group, Plan
from keeptime.judge.standing import Standing
from keeptime.judge.totals import BAD, COUNTERS, GOOD, NAMES, Totals
from keeptime.model.history import History
from keeptime.model.key import ObjectiveKey

Ints = NDArray[np.int64]

CORE = "judge"
"""The name under which `memory` keeps what is common to all rules; rules' own columns are under their names."""
COLUMNS = ("standing", "since", "quiet", "seen", "born")
NEVER = -1
"""`seen` of an objective that has had no event yet (internal: the verdict says it in words)."""


@dataclass(slots=True)
class GroupState:
    """One group's state. Columns hold a whole number per objective:

    `standing` (see `standing`), `since`: the boundary at which its condition began; `quiet`: ticks lived since
    the last event; `seen`: the boundary after the last tick with events; `born`: the first tick observed. `rule`:
    the rule's own. `period`: the boundary at which the calendar period began, `mark`: the totals then (rolling
    windows leave them).
    """

    totals: Totals
    days: Days
    columns: dict[str, Ints]
    rule: dict[str, Ints]
    period: int
    mark: Ints


@dataclass(slots=True)
class State:
    """`next_tick`: the tick that `advance` must be given next."""

    plan: Plan
    groups: tuple[GroupState, ...]
    hashes: NDArray[np.uint64]
    next_tick: int

    @classmethod
    def fresh(cls, plan: Plan, first_tick: int) -> "State":
        """Nothing observed yet; every objective is born at `first_tick`."""
        groups = tuple(_fresh_group(group, first_tick, plan.tick_seconds) for group in plan.groups)
        return cls(plan, groups, key_hashes(plan.keys), first_tick)

    @classmethod
    def restore(
        cls,
        plan: Plan,
        histories: Mapping[ObjectiveKey, History],
        memory: Mapping[str, bytes],
        next_tick: int,
    ) -> "State":
        """The state before `next_tick`. Ticks that no history holds were not lived through and hold no events.

        An objective without history and memory is born at `next_tick`. Raises StoreDamaged on memory that keeptime
        did not write, UsageError on
        memory of ticks of another length.
        """
        state = cls.fresh(plan, next_tick)
        remembered = {name: unpack(data, plan.tick_seconds) for name, data in memory.items()}
        for group, part in zip(plan.groups, state.groups, strict=True):
            for place, row in enumerate(group.rows.tolist()):
                key = plan.rows[row].key
                core, own = (_of(remembered, name, key) for name in (CORE, group.rule.name))
                _restore_objective(group, part, place, histories.get(key), core, own)
        return state

    def memory(self) -> dict[str, bytes]:
        """What `restore` needs beyond counts, by rule name."""
        parts = [_core_columns(part) for part in self.groups]
        found = {CORE: self._pack(parts)}
        for name in dict.fromkeys(group.rule.name for group in self.plan.groups if group.rule.memory):
            of_rule = [
                part.rule if group.rule.name == name else None
                for group, part in zip(self.plan.groups, self.groups, strict=True)
            ]
            found[name] = self._pack(of_rule)
        return found

    def _pack(self, parts: Sequence[Mapping[str, Ints] | None]) -> bytes:
        """Columns of these groups (None: not this one) in the order of the plan's rows."""
        chosen = [
            (group.rows, part) for group, part in zip(self.plan.groups, parts, strict=True) if part is not None
        ]
        if not chosen:
            return b""
        rows = np.concatenate([rows for rows, _ in chosen])
        names = list(chosen[0][1])
        columns = {name: np.concatenate([part[name] for _, part in chosen]) for name in names}
        return pack(self.hashes[rows], columns, self.plan.tick_seconds)


def _of(remembered: Mapping[str, Remembered], name: str, key: ObjectiveKey) -> dict[str, int] | None:
    return remembered[name].of(key) if name in remembered else None


def _core_columns(part: GroupState) -> dict[str, Ints]:
    core = dict(part.columns)
    for index, counter in enumerate(NAMES):
        core[f"total_{counter}"] = part.totals.now[index]
        core[f"mark_{counter}"] = part.mark[index]
    for name, boundary in (("period", part.period), ("until", part.totals.boundary)):
        core[name] = np.full(part.mark.shape[1], boundary, dtype=np.int64)
    return core


def _fresh_group(group: Group, first_tick: int, tick_seconds: float) -> GroupState:
    count = len(group.rows)
    values = {"standing": Standing.OK, "since": first_tick, "quiet": 0, "seen": NEVER, "born": first_tick}
    columns = {name: np.full(count, values[name], dtype=np.int64) for name in COLUMNS}
    own = group.shape.own
    return GroupState(
        totals=Totals.fresh(group.rings, first_tick, count),
        days=Days.fresh(tick_seconds, first_tick, count),
        columns=columns,
        rule={name: np.zeros(count, dtype=np.int64) for name in group.rule.memory},
        period=period_of(own, first_tick, tick_seconds).start if isinstance(own, Calendar) else 0,
        mark=np.zeros((COUNTERS, count), dtype=np.int64),
    )


def _restore_objective(
    group: Group,
    part: GroupState,
    place: int,
    known: History | None,
    core: dict[str, int] | None,
    own: dict[str, int] | None,
) -> None:
    core = core or {}
    for name in COLUMNS:
        part.columns[name][place] = core.get(name, int(part.columns[name][place]))
    for name in group.rule.memory:
        part.rule[name][place] = (own or {}).get(name, 0)
    history = _Ends.of(known)
    if known is not None:
        part.columns["born"][place] = known.born
    if not core and history.last_event is not None:
        part.columns["seen"][place] = history.last_event
    totals = part.totals
    now = history.sums[:, -1].copy()
    if core:
        now[:] = _counters(core, "total")
        now += history.since(core.get("until"))  # what a source counted while keeptime was down
    totals.now[:, place] = now
    for ring in totals.rings:
        points = totals.points(ring)
        totals.slots[:, totals.place(ring, points), place] = now[:, None] - history.after(points)
    at_days = now[:, None] - history.after(part.days.points)
    part.days.events[:, place] = at_days[GOOD] + at_days[BAD]
    part.days.bad[:, place] = at_days[BAD]
    if not isinstance(group.shape.own, Calendar):
        return
    if core.get("period") == part.period:
        part.mark[:, place] = _counters(core, "mark")
    else:
        part.mark[:, place] = now - history.after(np.array([part.period]))[:, 0]


def _counters(core: Mapping[str, int], kind: str) -> list[int]:
    """A counter that an earlier keeptime did not remember had counted nothing."""
    return [core.get(f"{kind}_{name}", 0) for name in NAMES]


@dataclass(frozen=True, slots=True)
class _Ends:
    """A history as sums up to the end of each span; a span counts from its end on."""

    first: Ints
    ends: Ints
    sums: Ints
    last_event: int | None

    @classmethod
    def of(cls, history: History | None) -> "_Ends":
        if history is None or not len(history.first):
            none = np.zeros(0, dtype=np.int64)
            return cls(none, none, np.zeros((COUNTERS, 1), dtype=np.int64), None)
        first = np.array(history.first, dtype=np.int64)
        ends = first + np.array(history.ticks, dtype=np.int64)
        counts = np.array([getattr(history, name) for name in NAMES], dtype=np.int64)
        sums = np.concatenate([np.zeros((COUNTERS, 1), dtype=np.int64), np.cumsum(counts, axis=1)], axis=1)
        events = np.flatnonzero(counts[0] + counts[1])
        return cls(first, ends, sums, int(ends[events[-1]]) if len(events) else None)

    def after(self, points: Ints) -> Ints:
        """Counts that lie after these boundaries [counter × point]."""
        until = np.searchsorted(self.ends, points, side="right")
        counted: Ints = self.sums[:, -1:] - self.sums[:, until]
        return counted

    def since(self, boundary: int | None) -> Ints:
        """Counts of the spans that begin there or later [counter]; nothing where that is not known."""
        at = len(self.first) if boundary is None else int(np.searchsorted(self.first, boundary))
        counted: Ints = self.sums[:, -1] - self.sums[:, at]
        return counted
