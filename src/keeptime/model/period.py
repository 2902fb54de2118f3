"""Periods that are over, and the days that they are made of: what a step asks a store to close, and what is closed.

Guarantees: all boundaries are ticks, [first, until); what a period is judged by is kept as it stood when it ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from keeptime.model.compliance import Basis, PeriodCounts
from keeptime.model.key import ObjectiveKey


@dataclass(frozen=True, slots=True)
class DayEnd:
    """A day, or the part of one that these objectives were in force, is over. `slots`: probes due in each tick, by
    objective; 0 where they are not keeptime's own.
    """

    first: int
    until: int
    slots: Mapping[ObjectiveKey, float]


@dataclass(frozen=True, slots=True)
class PeriodTerms:
    """What a period is judged by. `name`: "2026-10"; `promise`: the objective in words."""

    name: str
    unit: str
    timezone: str
    promise: str
    target: Fraction
    basis: Basis
    min_events: int = 0


@dataclass(frozen=True, slots=True)
class PeriodEnd:
    """A period, or the part of one that these terms were in force, is over: its days are to be summed up."""

    key: ObjectiveKey
    first: int
    until: int
    terms: PeriodTerms


@dataclass(frozen=True, slots=True)
class ClosedPeriod:
    """A period that is over, with its exact counts. `since`: the first tick of it that was observed."""

    key: ObjectiveKey
    first: int
    until: int
    since: int
    terms: PeriodTerms
    counts: PeriodCounts
