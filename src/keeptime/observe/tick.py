"""What is counted in one tick while it is open.

Guarantees: a tick says of everything that is excluded why. Knows no clock and no contract.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeptime.model.exclusion import FAILED, Exclusion
from keeptime.model.key import ObjectiveKey, SignalKey
from keeptime.model.phases import PhaseSums, sums_of
from keeptime.model.sample import Phases
from keeptime.model.sketch import Sketch
from keeptime.model.tally import Tally, TickRecord

GOOD, BAD, SKIPPED, SUSPECT, EXCLUDED = range(5)


@dataclass(slots=True)
class Tick:
    counts: dict[ObjectiveKey, list[int]] = field(default_factory=dict)
    sketches: dict[SignalKey, Sketch] = field(default_factory=dict)
    exclusions: dict[ObjectiveKey, dict[Exclusion, int]] = field(default_factory=dict)
    incomplete: bool = False
    amounts: dict[ObjectiveKey, int] = field(default_factory=dict)
    probed: dict[ObjectiveKey, tuple[int, int]] = field(default_factory=dict)
    phases: dict[str, PhaseSums] = field(default_factory=dict)

    def count(self, key: ObjectiveKey, which: int, events: int = 1) -> list[int]:
        counts = self.counts.get(key)
        if counts is None:
            counts = self.counts[key] = [0, 0, 0, 0, 0]
        counts[which] += events
        return counts

    def exclude(self, key: ObjectiveKey, why: Exclusion, events: int = 1) -> None:
        self.count(key, EXCLUDED, events)
        reasons = self.exclusions.setdefault(key, {})
        reasons[why] = reasons.get(why, 0) + events

    def put(self, key: ObjectiveKey, tally: Tally, why: Exclusion | None) -> None:
        """Add what others have counted; all of it is excluded where `why` says so, else what failed where failures
        are left out: counts from elsewhere know no other reason.
        """
        if why is not None:
            self.exclude(key, why, tally.slots)
            return
        counts = self.counts.setdefault(key, [0, 0, 0, 0, 0])
        for which, amount in enumerate((tally.good, tally.bad, tally.skipped, tally.suspect)):
            counts[which] += amount
        if tally.excluded:
            self.exclude(key, FAILED, tally.excluded)

    def put_with(self, key: ObjectiveKey, tally: Tally, reasons: Mapping[Exclusion, int]) -> None:
        """Add what others have counted, with the reason of each that is excluded in it."""
        counts = self.counts.setdefault(key, [0, 0, 0, 0, 0])
        counts[GOOD] += tally.good
        counts[BAD] += tally.bad
        for why, events in reasons.items():
            self.exclude(key, why, events)

    def probe(self, key: ObjectiveKey, *, good: bool) -> None:
        """One that is counted was a probe."""
        was_good, was_bad = self.probed.get(key, (0, 0))
        self.probed[key] = (was_good + good, was_bad + (not good))

    def sketch(self, key: SignalKey) -> Sketch:
        found = self.sketches.get(key)
        if found is None:
            found = self.sketches[key] = Sketch()
        return found

    def spend(self, contract: str, spent: Phases) -> None:
        """Where the time of one of its probes went."""
        self.phases[contract] = self.phases.get(contract, PhaseSums()) + sums_of(spent)

    def record(self, tick: int, incomplete: bool) -> TickRecord:
        tallies = {key: Tally(*counts) for key, counts in self.counts.items()}
        incomplete = self.incomplete or incomplete
        return TickRecord(
            tick, tallies, self.sketches, incomplete, self.exclusions, self.amounts, self.probed, self.phases
        )
