"""From the requests of ticks to intervals: an objective `each: 5m` is judged by one event per interval.

Guarantees: exact. The pXX of n latencies is within the threshold when at least ⌈XX % of n⌉ of them are, so it is
decided by counting; the mean by whole nanoseconds. A failed request is as slow as can be. An interval's event is in
the tick that ends it; of one that ended while keeptime was down, in the next tick that is judged. Any split of the
ticks and any restart gives the same. Knows no store and no clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np

from keeptime.contract.limits import Interval
from keeptime.contract.terms import Contract, Objective
from keeptime.judge.memory import key_hashes, pack, unpack
from keeptime.model.exclusion import Exclusion, ExclusionKind
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally, TickRecord

NAME = "intervals"
"""Under which a store keeps what is carried."""
COLUMNS = ("interval", "good", "bad", "amount", "gaps")
TOO_FEW = Exclusion(ExclusionKind.INTERVAL, "too few requests in the interval")


@dataclass(slots=True)
class _Part:
    """An interval so far. `amount`: nanoseconds of the good ones; `gaps`: ticks that were not lived through."""

    interval: int = -1
    good: int = 0
    bad: int = 0
    amount: int = 0
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class _Terms:
    """`ticks` of an interval; `threshold_ns` for the mean."""

    of: Interval
    ticks: int
    threshold_ns: int


@dataclass(slots=True)
class Folding:
    """What the intervals of some contracts have so far; mutable. Ticks must come in order."""

    tick_seconds: float
    terms: Mapping[ObjectiveKey, _Terms]
    parts: dict[ObjectiveKey, _Part] = field(default_factory=dict)

    @classmethod
    def restore(cls, contracts: Sequence[Contract], tick_seconds: float, memory: Mapping[str, bytes]) -> "Folding":
        """What was carried when `memory` was written. Raises StoreDamaged, UsageError as the judge's state does."""
        terms = {
            contract.key(one): _terms(one, one.each, tick_seconds)
            for contract in contracts
            for one in contract.objectives
            if one.each is not None
        }
        known = unpack(memory.get(NAME, b""), tick_seconds)
        found = {key: known.of(key) for key in terms}
        return cls(tick_seconds, terms, {key: _Part(**each) for key, each in found.items() if each is not None})

    def memory(self) -> dict[str, bytes]:
        """What `restore` needs; where no objective has intervals, that there is nothing any more."""
        if not self.terms:
            return {NAME: b""}
        keys = list(self.terms)
        parts = [self.parts.get(key, _Part()) for key in keys]
        columns = {name: np.array([getattr(part, name) for part in parts], dtype=np.int64) for name in COLUMNS}
        return {NAME: pack(key_hashes(keys), columns, self.tick_seconds)}

    def without(self, record: TickRecord) -> TickRecord:
        """The record without what is of intervals: of a tick that was judged already it comes too late."""
        tallies = {key: tally for key, tally in record.tallies.items() if key not in self.terms}
        exclusions = {key: why for key, why in record.exclusions.items() if key not in self.terms}
        return replace(record, tallies=tallies, exclusions=exclusions, amounts={})

    def fold(self, record: TickRecord) -> TickRecord:
        """The record with intervals in the place of requests, for the objectives that have them."""
        if not self.terms:
            return record
        rest = self.without(record)
        tallies, exclusions = dict(rest.tallies), dict(rest.exclusions)
        for key, terms in self.terms.items():
            ended = self._add(key, terms, record)
            if ended != Tally():
                tallies[key] = ended
            if ended.excluded:
                exclusions[key] = {TOO_FEW: ended.excluded}
        return replace(rest, tallies=tallies, exclusions=exclusions)

    def _add(self, key: ObjectiveKey, terms: _Terms, record: TickRecord) -> Tally:
        """Add a tick; the intervals that have ended by its end."""
        part, number = self.parts.get(key, _Part()), record.tick // terms.ticks
        ended = Tally()
        if part.interval not in (number, -1):
            ended += judged(terms.of, terms.threshold_ns, replace(part, gaps=1))
        if part.interval != number:
            part = _Part(number, gaps=record.tick % terms.ticks)
        tally = record.tallies.get(key, Tally())
        part.good, part.bad = part.good + tally.good, part.bad + tally.bad
        part.amount += record.amounts.get(key, 0)
        part.gaps += record.incomplete
        if (record.tick + 1) % terms.ticks == 0:
            ended += judged(terms.of, terms.threshold_ns, part)
            part = _Part(number + 1)
        self.parts[key] = part
        return ended


def _terms(one: Objective, each: Interval, tick_seconds: float) -> _Terms:
    return _Terms(each, round(each.seconds / tick_seconds), one.under_ns or 0)


def judged(of: Interval, threshold_ns: int, part: "_Part") -> Tally:
    """One interval as an event. With too few requests it is what the contract says of empty ones, but nothing where
    keeptime did not live through all of it."""
    if part.good + part.bad < max(1, of.min_samples):
        if part.gaps:
            return Tally()
        return Tally(good=of.empty == "good", bad=of.empty == "bad", excluded=of.empty == "skip")
    good = keeps(of.share, threshold_ns, part.good, part.bad, part.amount)
    return Tally(good=int(good), bad=int(not good))


def keeps(share: Fraction | None, threshold_ns: int, good: int, bad: int, amount: int) -> bool:
    """Does the statistic of these requests keep to the threshold? `share`: of a percentile; None: the mean."""
    if share is None:
        return bad == 0 and amount <= threshold_ns * good
    return good >= share * (good + bad)
