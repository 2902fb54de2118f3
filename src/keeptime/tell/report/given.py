"""What a report is made from: rows of a store, and the terms that were in force.

Guarantees: frozen values, each as it was stored; nothing is judged yet. Times are Unix seconds. Knows no database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeptime.contract.scope import Where
from keeptime.contract.terms import Credits, Together
from keeptime.model.compliance import Basis, PeriodCounts
from keeptime.model.exclusion import Exclusion
from keeptime.model.ledger import LedgerHead, LedgerRow


@dataclass(frozen=True, slots=True)
class Day:
    """A day, or the part of one that was observed; named by its date in the objective's time zone."""

    name: str
    counts: PeriodCounts


@dataclass(frozen=True, slots=True)
class Stretch:
    """One period of one objective, or the part of it in which these terms were in force.

    `since`: when it was first observed. `over`: it has ended, and its counts are final. `to_come`: events that are
    still due in it; None where nobody can know. `excluded`: what was left out and why, on the UTC days it touches.
    """

    objective: str
    promise: str
    name: str
    timezone: str
    start: float
    end: float
    since: float
    over: bool
    target: Fraction
    basis: Basis
    min_events: int
    counts: PeriodCounts
    to_come: int | None = None
    credits: Credits | None = None
    where: Where = ()
    days: Sequence[Day] = ()
    excluded: Sequence[tuple[Exclusion, int]] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """`as_of`: the end of the newest tick in the store. `rows`: the contract's rows of the ledger, oldest first."""

    contract: str
    provider: str
    model: str
    version: str
    period: str
    as_of: float
    stretches: Sequence[Stretch]
    together: Sequence[Together]
    rows: Sequence[LedgerRow]
    head: LedgerHead
