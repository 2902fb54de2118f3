"""Contracts made ready to be judged: objectives that are alike stand in one group, and a group is judged as one
array.

Guarantees: rows keep the order of the contracts; a plan is frozen and holds no counts. Knows nothing of the time.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from keeptime.contract.terms import Calendar, Contract, Objective, PolicyKind, Rolling
from keeptime.errors import UsageError
from keeptime.judge.resting import Maintained
from keeptime.judge.rules import RULES, rule_for
from keeptime.judge.rules.rule import Rule, TierReach, TierTerms
from keeptime.judge.totals import Ring, rings_for
from keeptime.model.key import ObjectiveKey

__all__ = ["Group", "Plan", "Row", "Shape", "TierReach", "reach"]

NEVER_SILENT = 1 << 60
"""Ticks until no_data of a segment: of one value of an attribute nobody promised that anything comes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One objective. `events_per_tick`: expected from probes, 0 if unknown; `silence`: ticks until no_data."""

    key: ObjectiveKey
    contract: Contract
    objective: Objective
    events_per_tick: float
    silence: int


@dataclass(frozen=True, slots=True)
class Busy:
    """While so many events are in a shorter window (ticks), it is the objective's own."""

    window: int
    least: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What makes objectives alike. `own`: their window in ticks, or the calendar period. With fewer than
    `min_events` in it the budget breaks nothing.
    """

    kind: PolicyKind
    tiers: tuple[TierTerms, ...]
    own: int | Calendar
    budget: Fraction
    busy: Busy | None = None
    min_events: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Objectives of one shape. `rows`: their places in the plan; `windows`: all windows (ticks) they need counts
    of.
    """

    shape: Shape
    rule: Rule
    rows: NDArray[np.intp]
    windows: tuple[int, ...]
    rings: tuple[Ring, ...]
    events_per_tick: NDArray[np.float64]
    silence: NDArray[np.int64]
    maintained: Maintained


@dataclass(frozen=True, slots=True)
class Plan:
    """All objectives of some contracts. `places`: for each row its group and its place there."""

    tick_seconds: float
    rows: tuple[Row, ...]
    groups: tuple[Group, ...]
    places: tuple[tuple[int, int], ...]

    @property
    def keys(self) -> tuple[ObjectiveKey, ...]:
        return tuple(row.key for row in self.rows)

    @classmethod
    def compile(
        cls, contracts: Sequence[Contract], tick_seconds: float, rules: Mapping[PolicyKind, Rule] = RULES
    ) -> "Plan":
        """A plan for these contracts. Raises ValueError where a tick does not divide a minute,
        UsageError where two objectives have one name."""
        rows = tuple(_row(contract, each, tick_seconds) for contract in contracts for each in contract.objectives)
        twice = [str(key) for key, count in Counter(row.key for row in rows).items() if count > 1]
        if twice:
            raise UsageError(f"every objective needs a name of its own; given more than once: {', '.join(twice)}")
        members: dict[Shape, list[int]] = {}
        for index, row in enumerate(rows):
            members.setdefault(_shape(row, tick_seconds, rules), []).append(index)
        groups = tuple(
            _group(shape, rule_for(shape.kind, rules), indices, rows, tick_seconds)
            for shape, indices in members.items()
        )
        places = {index: (g, o) for g, group in enumerate(groups) for o, index in enumerate(group.rows.tolist())}
        return cls(tick_seconds, rows, groups, tuple(places[index] for index in range(len(rows))))


def _row(contract: Contract, objective: Objective, tick_seconds: float) -> Row:
    each = 0.0 if objective.each is None else objective.each.seconds
    silence = max(1, math.ceil((contract.no_data_after + each) / tick_seconds))
    if objective.segment:
        silence = NEVER_SILENT
    return Row(contract.key(objective), contract, objective, contract.expected(objective) * tick_seconds, silence)


def _shape(row: Row, tick_seconds: float, rules: Mapping[PolicyKind, Rule]) -> Shape:
    objective, over = row.objective, row.objective.over
    own = max(1, math.ceil(Fraction(over.seconds) / Fraction(tick_seconds))) if isinstance(over, Rolling) else over
    kind = objective.policy.kind
    tiers = rule_for(kind, rules).tiers(objective, tick_seconds, row.events_per_tick / tick_seconds)
    busy = None
    if isinstance(over, Rolling) and over.least:
        busy = Busy(max(1, math.ceil(Fraction(over.short) / Fraction(tick_seconds))), over.least)
    return Shape(kind, tiers, own, objective.budget_ratio, busy, objective.min_events)


def _group(shape: Shape, rule: Rule, indices: list[int], rows: tuple[Row, ...], tick_seconds: float) -> Group:
    windows = {window for tier in shape.tiers for window in tier.windows}
    if isinstance(shape.own, int):
        windows.add(shape.own)
    if shape.busy is not None:
        windows.add(shape.busy.window)
    ordered = tuple(sorted(windows))
    return Group(
        shape=shape,
        rule=rule,
        rows=np.array(indices, dtype=np.intp),
        windows=ordered,
        rings=rings_for(ordered, tick_seconds),
        events_per_tick=np.array([rows[index].events_per_tick for index in indices], dtype=np.float64),
        silence=np.array([rows[index].silence for index in indices], dtype=np.int64),
        maintained=Maintained(tuple(rows[index].contract.maintained(rows[index].objective) for index in indices)),
    )


def reach(objective: Objective, events_per_second: float, tick_seconds: float) -> tuple[TierReach, ...]:
    """For each tier of the objective's policy: can it fire, and how soon is total failure noticed?

    `events_per_second` is what will be observed (probe slots, or traffic); 0 means unknown, and then enough traffic
    is assumed.
    """
    rule = rule_for(objective.policy.kind)
    budget = objective.budget_ratio
    tiers = rule.tiers(objective, tick_seconds, events_per_second)
    return tuple(rule.reach(tier, budget, events_per_second, tick_seconds) for tier in tiers)
