"""Counts → verdicts → alerts and messages → one durable step: what happens at the end of every tick.

Guarantees: a tick is judged once and in order; what was decided and what must be told of it are committed
together, and a change that the store could not take is kept and tried again before anything newer. Runs in the
store's thread; knows no network and no clock.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keeptime.app.closing import Closing
from keeptime.app.ending import Ending, ending
from keeptime.app.ports import Store
from keeptime.app.segmenting import Segmenting
from keeptime.contract.effective import in_force, next_change
from keeptime.contract.fingerprint import written
from keeptime.contract.people import everyone
from keeptime.contract.terms import Contract
from keeptime.errors import StoreError, StoreFailed, StoreFenced, StoreUnavailable
from keeptime.judge.advance import advance
from keeptime.judge.block import Block
from keeptime.judge.intervals import Folding
from keeptime.judge.plan import Plan
from keeptime.judge.state import State
from keeptime.judge.totals import NAMES
from keeptime.model.ack import Ack, acknowledged
from keeptime.model.alert import Address, AlertRow, AlertState, Message
from keeptime.model.change import Change
from keeptime.model.history import History
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally, TickRecord
from keeptime.model.verdict import Verdict
from keeptime.model.version import ContractVersion
from keeptime.tell.announce import announce

NOTHING = Tally()


@dataclass(frozen=True, slots=True)
class Kept:
    """After some ticks: every objective's newest verdict (none where no tick was judged) and what was newly told.

    `problem`: a sentence while changes wait for the store, else ""; `waiting`: the messages in them, oldest first.
    `contracts`: with the terms judged by.
    """

    verdicts: Mapping[ObjectiveKey, Verdict]
    messages: tuple[Message, ...]
    problem: str
    contracts: tuple[Contract, ...]
    waiting: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class _Terms:
    """What is judged by from one tick on. `next_change`: Unix seconds at which other terms are in force."""

    plan: Plan
    folding: Folding
    state: State
    in_force: tuple[Contract, ...]
    next_change: int | None


class Keeper:
    """The judge's state and the alerts' rows of the running contracts, resumed from the store.

    Raises StoreError where the store cannot be read.
    """

    def __init__(self, store: Store, contracts: Sequence[Contract], tick_seconds: float, next_tick: int) -> None:
        self._store, self._tick_seconds = store, tick_seconds
        self._contracts = tuple(contracts)
        self._segmenting = Segmenting(contracts, tick_seconds)
        self._split = False
        histories = store.histories(next_tick)
        self._segmenting.resume(histories, next_tick)
        self._take(self._terms(contracts, next_tick, store.memory(), histories))
        self._alerts: dict[ObjectiveKey, AlertRow] = dict(store.alerts())
        self._unsaved: deque[Change] = deque()
        self._fenced = False
        self._versions: tuple[Contract, ...] = ()
        self._acks: Mapping[ObjectiveKey, Ack] = store.acks()
        self._ending = Ending()
        self._end(self._endings(contracts, self._plan, next_tick * tick_seconds))
        self._closing = Closing(contracts, tick_seconds, store.closed_to(), next_tick)

    def keep(self, records: Sequence[TickRecord], now: float) -> Kept:
        """Judge these ticks and commit each, and what an earlier call could not. `now`: Unix seconds."""
        verdicts: tuple[Verdict, ...] = ()
        messages: list[Message] = []
        for record in records:
            if record.tick < self._state.next_tick:
                late = self._folding.without(record)  # counted, but of a tick that was judged before a restart
                self._unsaved.append(Change(now, late))
                continue
            self._reach(record.tick)
            self._split_by(record)
            record = self._folding.fold(record)
            verdicts = self._judge(record).verdicts()
            change = self._change(record, verdicts, now)
            messages += change.messages
            self._unsaved.append(change)
        problem = self._save()
        newest = {each.key: each for each in verdicts}
        return Kept(newest, tuple(messages), problem, self.in_force, self.waiting)

    def replace(self, contracts: Sequence[Contract], now: float) -> tuple[Message, ...]:
        """Judge these contracts from now on; objectives that stay keep their state. `now`: Unix seconds.

        What ends with it is committed, and what is told of that returned. Raises StoreError, and then nothing has
        changed: the commit is the last that can fail.
        """
        problem = self._save()
        if problem:
            raise StoreError(problem)
        tick = self._state.next_tick
        closing = Closing(contracts, self._tick_seconds, self._store.closed_to(), tick)
        terms = self._terms(contracts, tick, self._memory())
        over = self._ending + self._endings(contracts, terms.plan, now)
        self._commit_now(
            Change(
                now,
                alerts=over.rows,
                messages=over.messages,
                versions=_versions(contracts),
                addresses=_addresses(contracts),
            )
        )
        self._take(terms)
        self._contracts, self._closing = tuple(contracts), closing
        self._segmenting.replace(contracts)
        self._versions = self._contracts
        self._end(over)
        self._ending = Ending()
        return over.messages

    def acknowledge(self, contract: str, objective: str, author: str, note: str, now: float) -> tuple[Ack, ...]:
        """Somebody takes on what is open of this contract ("": of all objectives); what that is.

        Raises StoreError, and then nobody has.
        """
        if problem := self._save():
            raise StoreError(problem)
        keys = [key for key in self._alerts if key.contract == contract and objective in ("", key.objective)]
        rows = [self._alerts[key] for key in keys if self._alerts[key].state is AlertState.FIRING]
        acks = tuple(Ack(row.key, row.started, author, note, now) for row in rows if row.started is not None)
        if acks:
            self._store.acknowledge(acks)
        self._acks = {**self._acks, **{each.key: each for each in acks}}
        return acks

    @property
    def acks(self) -> Mapping[ObjectiveKey, Ack]:
        """Of the alerts that are open now, those that somebody has taken on."""
        found = {key: acknowledged(self._alerts.get(key), ack) for key, ack in self._acks.items()}
        return {key: ack for key, ack in found.items() if ack is not None}

    @property
    def waiting(self) -> tuple[Message, ...]:
        """The messages in changes that the store did not take yet, oldest first; none where another one leads."""
        changes = () if self._fenced else self._unsaved
        return tuple(message for change in changes for message in change.messages)

    @property
    def next_tick(self) -> int:
        """The tick that is judged next."""
        return self._state.next_tick

    @property
    def segments(self) -> Mapping[ObjectiveKey, int]:
        """The segments that are judged now, each with its last tick with an event."""
        return dict(self._segmenting.seen)

    @property
    def in_force(self) -> tuple[Contract, ...]:
        """The contracts with the terms that are judged now."""
        return self._in_force

    def _reach(self, tick: int) -> None:
        """Move over ticks that were not lived through, and to the terms that are in force in this one."""
        while self._next_change is not None:
            change = round(self._next_change / self._tick_seconds)
            if change > tick:
                break
            self._idle(max(change, self._state.next_tick))
            if not self._change_terms(self._state.next_tick):
                break
        self._idle(tick)

    def _split_by(self, record: TickRecord) -> None:
        """Judge the segments that there are from this tick on; where the store fails, as soon as it does not."""
        self._split = self._segmenting.note(record) or self._split
        if self._split and self._change_terms(record.tick):
            self._split = False

    def _change_terms(self, tick: int) -> bool:
        """Judge by the terms of this tick. Where the store fails, the old ones go on until it does not."""
        if self._save():
            return False
        try:
            terms = self._terms(self._contracts, tick, self._memory())
            over = self._endings(self._contracts, terms.plan, tick * self._tick_seconds)
        except StoreError:
            return False
        self._take(terms)
        self._end(over)
        return True

    def _terms(
        self,
        contracts: Sequence[Contract],
        tick: int,
        memory: Mapping[str, bytes],
        histories: Mapping[ObjectiveKey, History] | None = None,
    ) -> "_Terms":
        """These contracts' terms of this tick, ready to judge by; objectives that stay have their state from
        `memory`, and what was counted from `histories` (None: as the store has them). Raises StoreError; nothing
        has changed.
        """
        second, at = self._tick_seconds, tick * self._tick_seconds
        now = self._segmenting.applied(in_force(contracts, at))
        plan, folding = Plan.compile(now, second), Folding.restore(now, second, memory)
        state = State.restore(plan, self._store.histories(tick) if histories is None else histories, memory, tick)
        return _Terms(plan, folding, state, now, next_change(contracts, at))

    def _take(self, terms: "_Terms") -> None:
        self._plan, self._folding, self._state = terms.plan, terms.folding, terms.state
        self._in_force, self._next_change = terms.in_force, terms.next_change

    def _memory(self) -> Mapping[str, bytes]:
        """What is carried beyond counts."""
        return self._state.memory() | self._folding.memory()

    def _endings(self, contracts: Sequence[Contract], plan: Plan, at: float) -> Ending:
        """Alerts that are over, once this plan of these contracts is judged. Raises StoreError."""
        return ending(self._alerts, contracts, set(plan.keys), self._store.heard_of, at)

    def _end(self, over: Ending) -> None:
        """These alerts are over; the next change stores it."""
        self._alerts |= {row.key: row for row in over.rows}
        self._ending += over

    def _idle(self, tick: int) -> None:
        """Move the state to before this tick, over ticks that were not lived through."""
        if missed := tick - self._state.next_tick:
            nothing = np.zeros((len(self._plan.rows), missed), dtype=np.int64)
            alive = np.zeros(missed, dtype=np.bool_)
            advance(self._plan, self._state, self._state.next_tick, nothing, nothing, nothing, alive)

    def _judge(self, record: TickRecord) -> Block:
        """Move the state to the end of this tick."""
        tallies = [record.tallies.get(key, NOTHING) for key in self._plan.keys]
        good, bad, skipped, excluded = (
            np.array([[getattr(tally, name)] for tally in tallies], dtype=np.int64).reshape(-1, 1) for name in NAMES
        )
        lived = np.array([not record.incomplete or bool(record.tallies)])
        return advance(self._plan, self._state, record.tick, good, bad, skipped, lived, excluded)

    def _change(self, record: TickRecord, verdicts: Sequence[Verdict], now: float) -> Change:
        alerts, messages = list(self._ending.rows), list(self._ending.messages)
        self._ending = Ending()
        for row, verdict in zip(self._plan.rows, verdicts, strict=True):
            said = announce(
                row.contract, row.objective, verdict, self._alerts.get(row.key), self._acks.get(row.key)
            )
            if said.changed:
                self._alerts[row.key] = said.row
                alerts.append(said.row)
            if said.message is not None:
                messages.append(said.message)
        days, periods = self._closing.due(record.tick + 1)
        versions = self._new_versions()
        addresses = () if versions is None else _addresses(self._contracts)
        return Change(
            now, record, self._memory(), tuple(alerts), tuple(messages), days, periods, versions, addresses
        )

    def _new_versions(self) -> tuple[ContractVersion, ...] | None:
        """The contracts, with the first tick that is judged by them; else None."""
        if self._contracts is self._versions:
            return None
        self._versions = self._contracts
        return _versions(self._contracts)

    def _commit_now(self, change: Change) -> None:
        """Raises StoreError. Of a commit that a network cut off nobody knows whether it was kept: the same change
        once more finds out, so that the store does not go over to contracts that keeptime did not.
        """
        try:
            self._store.commit(change)
        except StoreUnavailable:
            self._store.commit(change)

    def _save(self) -> str:
        """Commit what waits, oldest first; the sentence of what went wrong, or ""."""
        while self._unsaved:
            try:
                self._store.commit(self._unsaved[0])
            except StoreFailed:
                raise
            except StoreError as error:
                self._fenced = isinstance(error, StoreFenced)
                return f"{len(self._unsaved)} ticks wait for the store: {error}"
            self._unsaved.popleft()
        return ""


def _addresses(contracts: Sequence[Contract]) -> tuple[tuple[str, Address], ...]:
    return tuple((each.name, address) for each in contracts for address in everyone(each))


def _versions(contracts: Sequence[Contract]) -> tuple[ContractVersion, ...]:
    return tuple(ContractVersion(each.name, each.version, each.file, written(each)) for each in contracts)
