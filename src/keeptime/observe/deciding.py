"""What one request is for one objective: not its event, excluded, good or bad.

Guarantees: asked in this order, so that each request has one answer: is it eligible, was it due in maintenance,
does an exclusion fit, did it fail where failures are left out, was it within the threshold. Pure; knows no ticks.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from keeptime.contract.eligibility import Attributes, exempted, fits
from keeptime.contract.limits import Bound
from keeptime.contract.maintenance import covering, reason_of
from keeptime.contract.scope import Exclude, Maintenance, Where
from keeptime.contract.terms import Contract, Objective
from keeptime.model.exclusion import FAILED, Exclusion
from keeptime.model.key import ObjectiveKey
from keeptime.model.sample import Sample
from keeptime.model.tally import Tally, TickRecord

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Deciding:
    """An objective on requests. `under` in nanoseconds; `errors_excluded`: failures are left out. In force from
    `begins` until before `ends` (Unix nanoseconds). `mean`: how long the good ones took is summed.
    """

    key: ObjectiveKey
    under: int | None
    errors_excluded: bool
    begins: int | None = None
    ends: int | None = None
    where: Where = ()
    exclude: tuple[Exclude, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    mean: bool = False
    bounds: tuple[Bound, ...] = ()
    at_least: Fraction | None = None

    def in_force(self, due_ns: int) -> bool:
        return (self.begins is None or self.begins <= due_ns) and (self.ends is None or due_ns < self.ends)

    def early(self, due_ns: int) -> bool:
        """Is a request that has exceeded every threshold bad for it, however it ends?

        Not where its end can still tell that it is no event, or does not count.
        """
        decided_by_end = self.errors_excluded or self.where or self.exclude
        return self.under is not None and not decided_by_end and self.maintained(due_ns) is None

    def maintained(self, due_ns: int) -> Exclusion | None:
        """Why nothing that is due then counts; None outside of maintenance."""
        if not self.maintenance:
            return None
        window = covering(self.maintenance, due_ns)
        return None if window is None else reason_of(window)

    def decide(self, sample: Sample, attributes: Attributes) -> bool | Exclusion | None:
        """Good or not; why it does not count; None where it is no event of this objective."""
        if not fits(self.where, attributes):
            return None
        why = self.maintained(sample.due_ns) or exempted(self.exclude, sample.status, sample.failure, attributes)
        if why is not None:
            return why
        if sample.failure is not None and self.errors_excluded:
            return FAILED
        return sample.good(self.under) and self._keeps(sample)

    def _keeps(self, sample: Sample) -> bool:
        """Does a request that succeeded keep to its phases, and give its tokens soon enough?"""
        if any(getattr(sample.phases, each.phase) > each.under_ns for each in self.bounds):
            return False
        if self.at_least is None:
            return True
        took = sample.done_ns - sample.sent_ns
        return sample.tokens is not None and sample.tokens * SECOND >= self.at_least * took


def deciding(contract: Contract, objective: Objective) -> Deciding:
    mean = objective.each is not None and objective.each.share is None
    return Deciding(
        contract.key(objective),
        None if mean else objective.under_ns,
        objective.errors == "excluded",
        _ns(objective.begins),
        _ns(objective.ends),
        objective.where,
        contract.exempting(objective),
        contract.maintained(objective),
        mean,
        objective.bounds,
        objective.at_least,
    )


def attributes_of(sample: Sample) -> Attributes:
    """What the probe declared, and what every probe has: `status`, `failure`, `connection`."""
    found = {**sample.attributes, "connection": str(sample.connection)}
    if sample.status is not None:
        found["status"] = str(sample.status)
    if sample.failure is not None:
        found["failure"] = str(sample.failure)
    return found


def resting(contract: Contract, record: TickRecord, at_ns: int) -> TickRecord:
    """What was counted elsewhere up to this instant, with that of objectives in maintenance excluded, and with the
    reason of what is left out already: it failed, where failures are.
    """
    tallies = dict(record.tallies)
    exclusions = {key: {FAILED: tally.excluded} for key, tally in tallies.items() if tally.excluded}
    for objective in contract.objectives:
        key, window = contract.key(objective), covering(contract.maintained(objective), at_ns)
        if window is not None and objective.in_force(at_ns / SECOND) and key in tallies:
            exclusions[key] = {reason_of(window): tallies[key].slots}
            tallies[key] = Tally(excluded=tallies[key].slots)
    return replace(record, tallies=tallies, exclusions=exclusions)


def _ns(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * SECOND
