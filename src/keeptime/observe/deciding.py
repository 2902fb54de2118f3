"""What one request is for one objective: not its event, excluded, good or bad.

Guarantees: asked in this order, so that each request has one answer: is it eligible, was it due in maintenance,
does an exclusion fit, did it fail where failures are left out, was it within the threshold. Pure; knows no ticks.
"""

from dataclasses import dataclass, field, replace
from fractions import Fraction

from keeptime.contract.eligibility import Attributes, exempted, fits
from keeptime.contract.limits import Bound
from keeptime.contract.maintenance import covering, reason_of
from keeptime.contract.scope import Exclude, Maintenance, Where
from keeptime.contract.terms import Contract, Objective
from keeptime.model.batch import Batch
from keeptime.model.exclusion import BETWEEN_BOUNDS, FAILED, Exclusion
from keeptime.model.key import ObjectiveKey, Signal
from keeptime.model.sample import PROBE, Sample
from keeptime.model.tally import Tally, TickRecord
from keeptime.observe.segmenting import Segments

SECOND = 1_000_000_000
WHOLE = (Signal.REQUESTS, Signal.TOKEN_RATE)
"""Signals of which every request is one event."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """An objective on single events of the signal `of`. `under` in nanoseconds; `errors_excluded`: failures are
    left out. In force from `begins` until before `ends` (Unix nanoseconds). `mean`: how long the good ones took is
    summed. `segments`: in which of them each is counted too, None where it is not split.
    `beside`: probes are counted apart too, for there is real traffic beside them.
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
    of: Signal = Signal.REQUESTS
    beside: bool = False
    segments: Segments | None = field(default=None, compare=False)

    def in_force(self, due_ns: int) -> bool:
        return (self.begins is None or self.begins <= due_ns) and (self.ends is None or due_ns < self.ends)

    def early(self, due_ns: int) -> bool:
        """Is a request that has exceeded every threshold bad for it, however it ends?

        Not where its end can still tell that it is no event, or does not count.
        """
        decided_by_end = self.errors_excluded or self.where or self.exclude
        timed = self.of is Signal.REQUESTS and self.under is not None
        return timed and not decided_by_end and self.maintained(due_ns) is None

    def maintained(self, due_ns: int) -> Exclusion | None:
        """Why nothing that is due then counts; None outside of maintenance."""
        if not self.maintenance:
            return None
        window = covering(self.maintenance, due_ns)
        return None if window is None else reason_of(window)

    def decide(self, sample: Sample, attributes: Attributes) -> bool | Exclusion | None:
        """Good or not; why it does not count; None where it is no event of this objective: it is not eligible, or
        an answer without what the signal is about. Of gaps between tokens: were all of them good?
        """
        if (self.where and not fits(self.where, attributes)) or not self._concerns(sample):
            return None
        if self.exclude or self.maintenance:
            why = self.maintained(sample.due_ns)
            why = why or exempted(self.exclude, sample.status, sample.failure, attributes)
            if why is not None:
                return why
        if sample.failure is not None and self.errors_excluded:
            return FAILED
        if self.of in WHOLE:
            return sample.good(self.under) and self._keeps(sample)
        return sample.failure is None and not self.events(sample)[1]

    def events(self, sample: Sample) -> tuple[int, int]:
        """How many good and bad events a request is whose tokens are asked for: each gap is as many as tokens came
        at its end; one that failed is one bad event more, whatever it took.
        """
        failed, stream = int(sample.failure is not None), sample.stream
        if self.of is not Signal.INTER_TOKEN:
            in_time = self.under is None or (_token_ns(sample, self.of) or 0) <= self.under
            return (1, 0) if in_time and not failed else (0, 1)
        gaps = () if stream is None else stream.gaps
        every = sum(tokens for _, tokens in gaps)
        good = every if self.under is None else sum(n for gap, n in gaps if gap <= self.under * n)
        return good, every - good + failed

    def batch(self, batch: Batch) -> tuple[Tally, dict[Exclusion, int]] | None:
        """What many requests of somebody else's count as, and why some of them do not; None where they are no
        events of this objective."""
        attributes = batch.attributes
        if batch.signal is not self.of or self.bounds or self.at_least or self.mean:
            return None
        if self.where and not fits(self.where, attributes):
            return None
        if self.exclude or self.maintenance:
            why = self.maintained(batch.until_ns - 1)
            why = why or exempted(self.exclude, _status(attributes), None, attributes)
            if why is not None:
                return Tally(excluded=batch.count), {why: batch.count}
        sides, left_out = batch.sides(self.under), batch.failed if self.errors_excluded else 0
        because = {BETWEEN_BOUNDS: sides.between} if sides.between else {}
        if left_out:
            because[FAILED] = left_out
        return Tally(sides.within, sides.beyond + batch.failed - left_out, excluded=sum(because.values())), because

    def _concerns(self, sample: Sample) -> bool:
        """Has a request what the signal is about? One that failed has: its tokens did not come."""
        if self.of in WHOLE or sample.failure is not None:
            return True
        if self.of is Signal.INTER_TOKEN:
            return sample.stream is not None and bool(sample.stream.gaps)
        return _token_ns(sample, self.of) is not None

    def _keeps(self, sample: Sample) -> bool:
        """Does a request that succeeded keep to its phases, and give its tokens soon enough?"""
        if self.bounds and any(getattr(sample.phases, each.phase) > each.under_ns for each in self.bounds):
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
        objective.of,
    )


def comparable(contract: Contract, objective: Objective) -> bool:
    """Can what probes and users see of it be set side by side? Not tokens, of which one answer has many that hang
    together; nor intervals, which are of both.
    """
    several = objective.of is Signal.INTER_TOKEN or objective.each is not None
    return bool(contract.probes and contract.traffic) and not several


def attributes_of(sample: Sample) -> Attributes:
    """What was declared, and what every request has: `status`, `failure`, `observer`; of a probe `connection`."""
    found = {**sample.attributes, "observer": sample.observer}
    if sample.observer == PROBE:
        found["connection"] = str(sample.connection)
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


def _token_ns(sample: Sample, of: Signal) -> float | None:
    """To the first token, from the due instant where the prober was late; or for each after it."""
    stream = sample.stream
    if stream is None or of is Signal.OUTPUT_TOKEN:
        return None if stream is None else stream.output_token_ns
    if stream.first_token_ns is None:
        return None
    return stream.first_token_ns + (sample.sent_ns - sample.due_ns if sample.late else 0)


def _status(attributes: Attributes) -> int | None:
    status = attributes.get("status", "")
    return int(status) if status.isascii() and status.isdigit() and len(status) <= 3 else None
