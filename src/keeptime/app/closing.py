"""Which days and periods end with a tick: each objective's, in its own time zone, to the tick.

Guarantees: what ended while keeptime was not running is closed with the next tick; every day is closed once, from
where the store says that days are closed. Looks at the objectives only when something ends. Knows no clock.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from keeptime.contract.calendar import period_name
from keeptime.contract.sources import ProbeGauges
from keeptime.contract.terms import Calendar, Contract, Objective
from keeptime.judge.periods import period_of
from keeptime.judge.reason import promise
from keeptime.model.compliance import Basis
from keeptime.model.key import ObjectiveKey
from keeptime.model.period import DayEnd, PeriodEnd, PeriodTerms

Ended = tuple[tuple[DayEnd, ...], tuple[PeriodEnd, ...]]


@dataclass(frozen=True, slots=True)
class Account:
    """An objective with the calendar that it is accounted by. `slots`: of a tick, all that may be its events.
    `begins`, `ends`: ticks of its terms, where they have such."""

    key: ObjectiveKey
    objective: Objective
    calendar: Calendar
    basis: Basis
    slots: float
    begins: int | None
    ends: int | None

    def edge_after(self, tick: int, tick_seconds: float) -> int:
        """The next boundary after this one at which a day or these terms end."""
        edges = [span_of(Calendar("day", self.calendar.timezone), tick, tick_seconds).end]
        return min([*edges, *(each for each in (self.begins, self.ends) if each is not None and each > tick)])

    def covers(self, tick: int) -> bool:
        """Are these terms in force in this tick?"""
        return (self.begins is None or self.begins <= tick) and (self.ends is None or tick < self.ends)

    def period_end(self, until: int, tick_seconds: float) -> PeriodEnd | None:
        """The period, or these terms' part of it, that ends at this boundary; None where none does."""
        span = span_of(self.calendar, until - 1, tick_seconds)
        if until not in (span.end, self.ends):
            return None
        first = span.start if self.begins is None else max(span.start, self.begins)
        return PeriodEnd(self.key, first, until, self.terms(span.start, tick_seconds))

    def terms(self, start: int, tick_seconds: float) -> PeriodTerms:
        """What the period that begins at this tick is judged by."""
        one, calendar = self.objective, self.calendar
        name = period_name(calendar, start * tick_seconds)
        where = (name, calendar.unit, calendar.timezone)
        return PeriodTerms(*where, promise(one), one.target, self.basis, min_events=one.min_events)


span_of = lru_cache(maxsize=4096)(period_of)
"""Very many objectives ask for the same few days and months."""


def accounts(contracts: Sequence[Contract], tick_seconds: float) -> tuple[Account, ...]:
    """Every objective of these contracts that was promised, also those whose terms are not in force."""
    return tuple(
        account(contract, each, tick_seconds)
        for contract in contracts
        for each in contract.objectives
        if not each.internal
    )


def account(contract: Contract, objective: Objective, tick_seconds: float) -> Account:
    """A calendar objective is accounted by its own periods, a rolling one by months of the contract's time zone."""
    over = objective.over
    return Account(
        contract.key(objective),
        objective,
        over if isinstance(over, Calendar) else Calendar("month", contract.timezone),
        basis_of(contract),
        contract.slots(objective) * tick_seconds,
        _tick(objective.begins, tick_seconds),
        _tick(objective.ends, tick_seconds),
    )


def basis_of(contract: Contract) -> Basis:
    """Probes, also another prober's, sample the time; counters count every request."""
    if contract.source is not None:
        return Basis.SAMPLED if isinstance(contract.source.counts, ProbeGauges) else Basis.COUNTED
    return Basis.COUNTED if contract.traffic else Basis.SAMPLED


def _tick(seconds: int | None, tick_seconds: float) -> int | None:
    return None if seconds is None else math.ceil(seconds / tick_seconds)


class Closing:
    """`closed_to`: for each objective the tick from which its days are not closed yet; `now`: the next tick, from
    which an objective is accounted that the store does not know.
    """

    def __init__(
        self, contracts: Sequence[Contract], tick_seconds: float, closed_to: Mapping[ObjectiveKey, int], now: int
    ) -> None:
        self._tick_seconds = tick_seconds
        self._accounts = accounts(contracts, tick_seconds)
        self._open = [closed_to.get(each.key, now) for each in self._accounts]
        self._next = self._next_edge()

    def due(self, boundary: int) -> Ended:
        """What has ended by this boundary and was not given out yet, oldest first."""
        if boundary < self._next:
            return (), ()
        days: dict[tuple[int, int], dict[ObjectiveKey, float]] = {}
        periods: list[PeriodEnd] = []
        for nth, each in enumerate(self._accounts):
            for first, until in self._stretches(nth, each, boundary):
                days.setdefault((first, until), {})[each.key] = each.slots
                end = each.period_end(until, self._tick_seconds)
                periods += [] if end is None else [end]
        self._next = self._next_edge()
        return (
            tuple(DayEnd(first, until, slots) for (first, until), slots in sorted(days.items())),
            tuple(sorted(periods, key=lambda end: end.until)),
        )

    def _stretches(self, nth: int, of: Account, boundary: int) -> Iterator[tuple[int, int]]:
        """The days, or parts of days, of these terms that end by this boundary."""
        at = self._open[nth]
        while (edge := of.edge_after(at, self._tick_seconds)) <= boundary:
            if of.covers(at):
                yield at, edge
            at = self._open[nth] = edge

    def _next_edge(self) -> int:
        """The next boundary at which anything ends."""
        edges = (
            each.edge_after(at, self._tick_seconds) for each, at in zip(self._accounts, self._open, strict=True)
        )
        return min(edges, default=0)
