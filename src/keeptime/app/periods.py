"""Periods as they are shown: the one that is lived now, so far, and the ones that are over.

Guarantees: a view holds counts; what they say of the promise is worked out, by the judge, only for who asks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from keeptime.app.closing import Account, span_of
from keeptime.contract.calendar import period_name
from keeptime.contract.terms import Calendar, Contract, Credits
from keeptime.judge.compliance import assess
from keeptime.judge.reason import promise
from keeptime.model.compliance import Assessment, Basis, PeriodCounts
from keeptime.model.period import ClosedPeriod
from keeptime.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class PeriodView:
    """One period of one objective, in Unix seconds. `name`: "2026-10", or "28d" for the window that ends now.

    `since`: when it was first observed; None: not told apart from `start`. `lived`: it is not over.
    """

    objective: str
    name: str
    promise: str
    start: float
    end: float
    since: float | None
    counts: PeriodCounts
    target: Fraction
    basis: Basis
    min_events: int = 0
    lived: bool = False
    credits: Credits | None = None

    def assess(self) -> Assessment:
        """Was the promise kept in it, as far as it was lived?"""
        return assess(self.counts, self.target, self.basis, min_events=self.min_events)


@dataclass(frozen=True, slots=True)
class ComplianceView:
    """`present`: a calendar objective's period so far, a rolling one's window that ends now; None before the first
    verdict. `last`: the newest period that is over; None where none is.
    """

    present: PeriodView | None = None
    last: PeriodView | None = None


def present(of: Account, verdict: Verdict, missing: int, tick_seconds: float) -> PeriodView:
    """The window of this verdict. `missing`: probe slots in it that keeptime did not live through.

    Of a rolling window all that was not lived through yet is unseen too: two minutes say little of a day. But not
    of an objective on some requests alone, for which nobody knows how many there would have been.
    """
    over = of.objective.over
    start, end, name = verdict.at - verdict.window_seconds, verdict.at, str(over)
    lived = isinstance(over, Calendar)
    if isinstance(over, Calendar):
        span = span_of(over, verdict.tick, tick_seconds)
        start, end = span.start * tick_seconds, span.end * tick_seconds
        name = period_name(over, start)
    counts = PeriodCounts(verdict.good, verdict.bad, verdict.skipped, missing, verdict.excluded)
    if not lived and (of.objective.each is not None or not of.objective.where):
        slots = math.floor(of.slots * verdict.window_seconds / tick_seconds)
        counts = replace(counts, missing=max(missing, slots - counts.events - counts.skipped - counts.excluded))
    return PeriodView(
        of.key.objective,
        name,
        promise(of.objective),
        start,
        end,
        None,
        counts,
        verdict.target,
        of.basis,
        of.objective.min_events,
        lived,
    )


def past(closed: ClosedPeriod, tick_seconds: float, contracts: Sequence[Contract] = ()) -> PeriodView:
    """A period that is over, by the terms of its time; its credits are those that these contracts say for then."""
    terms = closed.terms
    return PeriodView(
        closed.key.objective,
        terms.name,
        terms.promise,
        closed.first * tick_seconds,
        closed.until * tick_seconds,
        closed.since * tick_seconds,
        closed.counts,
        terms.target,
        terms.basis,
        terms.min_events,
        credits=_credits(closed, tick_seconds, contracts),
    )


def _credits(closed: ClosedPeriod, tick_seconds: float, contracts: Sequence[Contract]) -> Credits | None:
    """By the terms in force in the period's last tick."""
    at = (closed.until - 1) * tick_seconds
    for contract in contracts:
        for one in contract.objectives:
            if contract.key(one) == closed.key and one.in_force(at):
                return one.credits
    return None
