"""A report as frozen values: what every form of it shows.

Guarantees: made of one state of a store, it is always the same; of another consumer, an internal objective or an
address there is nothing in it. Times are Unix seconds. Knows no format.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from keeptime.contract.credits import Due
from keeptime.model.compliance import Assessment, Basis, Compliance, PeriodCounts
from keeptime.tell.report.given import Day


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message to one audience.

    `state`: delivered, given up, replayed, discarded, muted or waiting. `receiver`: its kind, "" where none has
    been asked; `at`: None while it waits.
    """

    audience: str
    receiver: str
    state: str
    at: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """A decision that was told: its topic, the sentence that went out, and to whom."""

    id: str
    at: float
    topic: str
    reason: str
    sent: Sequence[Sent]


@dataclass(frozen=True, slots=True)
class Incident:
    """From the first message of an alert to its last. `ended`: None while it lasts."""

    began: float
    ended: float | None
    told: Sequence[Told]

    @property
    def topics(self) -> tuple[str, ...]:
        """What it was, in the order in which it was told."""
        return tuple(dict.fromkeys(each.topic for each in self.told))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """So many events did not count for this reason. `author`: "" where nobody is named."""

    kind: str
    reason: str
    author: str
    events: int


@dataclass(frozen=True, slots=True)
class Credit:
    """The least and the most that is due; of what, "" where the contract does not say."""

    least: Due
    most: Due
    of: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One promise in the period. `sli`: good of good and bad, None without either; its interval is in `found`."""

    name: str
    promise: str
    period: str
    timezone: str
    start: float
    end: float
    since: float
    over: bool
    target: Fraction
    basis: Basis
    counts: PeriodCounts
    found: Assessment
    credit: Credit | None
    days: Sequence[Day]
    left_out: Sequence[LeftOut]
    incidents: Sequence[Incident]

    @property
    def sli(self) -> float | None:
        return self.counts.good / self.counts.events if self.counts.events else None


@dataclass(frozen=True, slots=True)
class KeptTogether:
    """A promise of several objectives. `credit`: the least and the most that is due; None: none was promised."""

    name: str
    all: tuple[str, ...]
    state: Compliance
    credit: tuple[Fraction, Fraction] | None


@dataclass(frozen=True, slots=True)
class Report:
    """`consumer`: for whom alone it is, "" for the provider. `head`: the ledger's, as an anchor."""

    contract: str
    provider: str
    model: str
    version: str
    consumer: str
    period: str
    as_of: float
    state: Compliance
    objectives: Sequence[Kept]
    together: Sequence[KeptTogether]
    head: str

    @property
    def over(self) -> bool:
        return all(each.over for each in self.objectives)
