"""Counts of events per tick. Sums only: a ratio is taken once, at the end, by the judge."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeptime.model.exclusion import Exclusions
from keeptime.model.key import ObjectiveKey, SignalKey
from keeptime.model.phases import PhaseSums
from keeptime.model.sketch import Sketch


@dataclass(frozen=True, slots=True)
class Tally:
    """Events of one objective in some time. `suspect` says how many of `bad` the prober's own lag could explain.

    `excluded` ones were due and do not count, for a reason that the contract gives.
    """

    good: int = 0
    bad: int = 0
    skipped: int = 0
    suspect: int = 0
    excluded: int = 0

    def __post_init__(self) -> None:
        if min(self.good, self.bad, self.skipped, self.suspect, self.excluded) < 0 or self.suspect > self.bad:
            raise ValueError(f"counts must not be negative, nor suspect more than bad: {self}")

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.good + other.good,
            self.bad + other.bad,
            self.skipped + other.skipped,
            self.suspect + other.suspect,
            self.excluded + other.excluded,
        )

    @property
    def events(self) -> int:
        return self.good + self.bad

    @property
    def slots(self) -> int:
        return self.good + self.bad + self.skipped + self.excluded


@dataclass(frozen=True, slots=True)
class TickRecord:
    """All that was counted in one tick. `incomplete`: keeptime did not live through all of it. `exclusions`: what
    is excluded in `tallies`, by reason. `amounts`: nanoseconds of the good requests, of objectives on a mean.
    `probed`: (good, bad) of the probes in `tallies`, of contracts whose real traffic is counted too. `phases`:
    where the time of probes that succeeded went, by contract.
    """

    tick: int
    tallies: Mapping[ObjectiveKey, Tally] = field(default_factory=dict)
    sketches: Mapping[SignalKey, Sketch] = field(default_factory=dict)
    incomplete: bool = False
    exclusions: Exclusions = field(default_factory=dict)
    amounts: Mapping[ObjectiveKey, int] = field(default_factory=dict)
    probed: Mapping[ObjectiveKey, tuple[int, int]] = field(default_factory=dict)
    phases: Mapping[str, PhaseSums] = field(default_factory=dict)
