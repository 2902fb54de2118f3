"""Counts outcomes of probes per objective and tick.

Guarantees: every slot is counted exactly once for each objective that it concerns: good, bad, skipped or excluded;
a tick that was given out is never changed. An outcome belongs to the tick in which it was due; if that is closed,
to the oldest open one. Takes `now`, reads no clock.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from keeptime.contract.terms import Contract
from keeptime.model.batch import Batch
from keeptime.model.counters import USUAL_BOUNDS, RequestCounters
from keeptime.model.exclusion import Exclusion
from keeptime.model.key import ObjectiveKey, Signal, SignalKey, tick_of
from keeptime.model.sample import PROBE, Sample, Skipped
from keeptime.model.sketch import Sketch
from keeptime.model.tally import Tally, TickRecord
from keeptime.observe.deciding import Deciding, attributes_of, comparable, deciding
from keeptime.observe.keeping import Keeping
from keeptime.observe.route import ENDED, STOPPED
from keeptime.observe.segmenting import Segmenting
from keeptime.observe.tick import BAD, GOOD, SKIPPED, SUSPECT, Tick

GRACE_SECONDS = 1.0
"""A tick stays open so long after its end, for what was due in it and is not done."""
SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class _Early:
    """A request that was counted as bad before its end, for these objectives: it had exceeded every threshold, of
    which `largest` was the largest (nanoseconds).
    """

    counted: frozenset[ObjectiveKey]
    largest: int


NOT_EARLY: frozenset[ObjectiveKey] = frozenset()


class Counter:
    """`start_ns`: Unix nanoseconds of when counting began; its tick is incomplete. `keeping`: keeps some of what is
    counted as evidence.

    `add` and `overdue` may be called in one thread while another one calls `close` and `counters`.
    """

    def __init__(
        self,
        contracts: Sequence[Contract],
        tick_seconds: float,
        *,
        start_ns: int,
        grace: float = GRACE_SECONDS,
        keeping: Keeping | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self._keeping = keeping
        self._tick_seconds, self._tick_ns = tick_seconds, round(tick_seconds * SECOND)
        self._grace = round(grace * SECOND)
        self._next = tick_of(start_ns, tick_seconds)
        self._ticks: dict[int, Tick] = {self._next: Tick(incomplete=True)}
        self._early: dict[tuple[str, int], list[_Early]] = {}
        self._objectives: dict[str, tuple[Deciding, ...]] = {}
        self._segmenting = Segmenting(tick_seconds)
        self._counters: dict[str, RequestCounters] = {}
        self.replace(contracts)

    def replace(self, contracts: Sequence[Contract]) -> None:
        """Count for these from now on. Totals of a contract whose thresholds stay are kept."""
        if self._keeping is not None:
            self._keeping.replace(contracts)
        with self._lock:
            self._segmenting.replace(contracts)
            objectives = {contract.name: self._counted(contract) for contract in contracts}
            self._early = {key: found for key, found in self._early.items() if key[0] in objectives}
            self._objectives = objectives
            before, self._counters = self._counters, {}
            for contract in contracts:
                bounds = bounds_of(contract)
                old = before.get(contract.name)
                self._counters[contract.name] = old if old and old.bounds == bounds else RequestCounters(bounds)

    def know(self, segments: Mapping[ObjectiveKey, int]) -> None:
        """Segments that an earlier life saw, each with the last tick of it; they have their places."""
        with self._lock:
            for key, tick in segments.items():
                self._segmenting.know(key, tick)

    def add(self, outcome: Sample | Skipped) -> None:
        """Count one outcome; those of a contract that is not there any more are dropped."""
        with self._lock:
            known = self._objectives.get(outcome.contract)
            if known is None:
                return
            objectives = _in_force(known, outcome.due_ns)
            tick = self._tick(outcome.due_ns)
            counted = self._counted_early(outcome)
            if isinstance(outcome, Skipped):
                objectives = tuple(each for each in objectives if each.key not in counted)
                self._add_skipped(tick, objectives, outcome)
            else:
                self._add_sample(tick, objectives, outcome, counted)
        if self._keeping is not None and isinstance(outcome, Sample):
            self._keeping.add(outcome)

    def put(self, until_ns: int, tallies: Mapping[ObjectiveKey, Tally]) -> None:
        """Count what others have counted up to this instant: in the tick that ends with it or holds it."""
        with self._lock:
            known = {
                each.key: each for counted in self._objectives.values() for each in _in_force(counted, until_ns - 1)
            }
            tick = self._tick(until_ns - 1)
            for key, tally in tallies.items():
                if key in known and tally != Tally():
                    tick.put(key, tally, known[key].maintained(until_ns - 1))

    def put_batch(self, batch: Batch) -> None:
        """Count what somebody else measured of a contract's requests up to an instant; dropped where that contract
        is not there any more."""
        with self._lock:
            objectives = _in_force(self._objectives.get(batch.contract, ()), batch.until_ns - 1)
            tick = self._tick(batch.until_ns - 1)
            for each in objectives:
                found = each.batch(batch)
                if found is None:
                    continue
                tick.put_with(each.key, *found)
                if each.segments is not None:
                    tick.put_with(each.segments.key(batch.attributes), *found)
            if batch.sketch is not None and batch.contract in self._objectives:
                tick.sketch(SignalKey(batch.contract, batch.signal)).merge(batch.sketch)
        if self._keeping is not None:
            self._keeping.add_batch(batch)

    def overdue(self, contract: str, due_ns: int) -> None:
        """A request is in flight and has exceeded every threshold: bad now, not only when it ends."""
        with self._lock:
            objectives = _in_force(self._objectives.get(contract, ()), due_ns)
            early = [each for each in objectives if each.early(due_ns)]
            if early:
                tick = self._tick(due_ns)
                found = _Early(frozenset(each.key for each in early), self._largest(contract))
                self._early.setdefault((contract, due_ns), []).append(found)
                for each in early:
                    tick.count(each.key, BAD)
                    if each.beside:
                        tick.probe(each.key, good=False)

    def close(self, now_ns: int) -> list[TickRecord]:
        """The ticks that ended at least the grace before `now_ns`, in order, each once.

        Empty ones far behind are incomplete: this was not called for several ticks, so keeptime did not live then.
        """
        with self._lock:
            end = tick_of(now_ns - self._grace, self._tick_seconds)
            lived_from = end - 2 - -(-self._grace // self._tick_ns)
            out = []
            for number in range(self._next, end):
                tick = self._ticks.pop(number, None)
                gone = tick is None and number < lived_from
                if tick is not None:
                    self._segmenting.ended(number, tick.counts)
                out.append((tick or Tick()).record(number, incomplete=gone))
            self._next = max(self._next, end)
            return out

    def finish(self, now_ns: int) -> list[TickRecord]:
        """Every tick that is left, when counting ends: the present one is incomplete."""
        records = self.close(now_ns + self._grace + self._tick_ns)
        return [*records[:-1], replace(records[-1], incomplete=True)] if records else []

    def counters(self) -> Mapping[str, RequestCounters]:
        """A copy of each contract's totals."""
        with self._lock:
            return {
                name: replace(
                    each, within=list(each.within), failures=each.failures.copy(), phases=list(each.phases)
                )
                for name, each in self._counters.items()
            }

    def _tick(self, due_ns: int) -> Tick:
        number = max(self._next, due_ns // self._tick_ns)
        tick = self._ticks.get(number)
        if tick is None:
            tick = self._ticks[number] = Tick()
        return tick

    def _largest(self, contract: str) -> int:
        return max((each.under for each in self._objectives[contract] if each.under is not None), default=0)

    def _counted_early(self, outcome: Sample | Skipped) -> frozenset[ObjectiveKey]:
        """For which objectives this request, or another of the same instant that ends just as badly, was counted as
        overdue."""
        if isinstance(outcome, Sample) and outcome.observer != PROBE:
            return NOT_EARLY
        key = (outcome.contract, outcome.due_ns)
        found = self._early.get(key)
        if not found or (isinstance(outcome, Skipped) and outcome.reason != ENDED):
            return NOT_EARLY
        in_time = isinstance(outcome, Sample) and outcome.failure is None and outcome.latency_ns <= found[0].largest
        if in_time:
            return NOT_EARLY
        early = found.pop(0)
        if not found:
            del self._early[key]
        return early.counted

    def _add_skipped(self, tick: Tick, objectives: tuple[Deciding, ...], outcome: Skipped) -> None:
        tick.incomplete = tick.incomplete or outcome.reason == STOPPED
        self._counters[outcome.contract].skipped += 1
        for each in objectives:
            why = each.maintained(outcome.due_ns)
            if why is None:
                tick.count(each.key, SKIPPED)
            else:
                tick.exclude(each.key, why)

    def _add_sample(
        self, tick: Tick, objectives: tuple[Deciding, ...], sample: Sample, early: frozenset[ObjectiveKey]
    ) -> None:
        if sample.observer == PROBE:
            self._counters[sample.contract].add(sample)
        if sample.failure is None:
            _describe(tick, sample)
            if sample.observer == PROBE:
                tick.spend(sample.contract, sample.phases)
        attributes = attributes_of(sample)
        for each in objectives:
            decision = each.decide(sample, attributes)
            if decision is None:
                continue
            if not early or each.key not in early:
                _count(tick, each, each.key, sample, decision)
                if each.beside and sample.observer == PROBE and isinstance(decision, bool):
                    tick.probe(each.key, good=decision)
            if each.segments is not None:
                _count(tick, each, each.segments.key(attributes), sample, decision)

    def _counted(self, contract: Contract) -> tuple[Deciding, ...]:
        return tuple(
            replace(
                deciding(contract, each),
                segments=self._segmenting.of(contract, each),
                beside=comparable(contract, each),
            )
            for each in contract.objectives
        )


def _count(tick: Tick, objective: Deciding, key: ObjectiveKey, sample: Sample, decision: bool | Exclusion) -> None:
    """Count it for the objective, or for that segment of it whose `key` this is."""
    if isinstance(decision, Exclusion):
        tick.exclude(key, decision)
        return
    if objective.of is Signal.INTER_TOKEN:
        good, bad = objective.events(sample)
        tick.put_with(key, Tally(good, bad), {})
        return
    counts = tick.count(key, GOOD if decision else BAD)
    if decision and objective.mean:
        tick.amounts[key] = tick.amounts.get(key, 0) + sample.latency_ns
    if not decision and objective.of is Signal.REQUESTS and sample.suspect(objective.under):
        counts[SUSPECT] += 1


def _describe(tick: Tick, sample: Sample) -> None:
    """How long what succeeded took, signal by signal."""
    contract, stream = sample.contract, sample.stream
    tick.sketch(SignalKey(contract, Signal.REQUESTS)).add(sample.latency_ns / SECOND)
    if stream is None or stream.first_token_ns is None:
        return
    tick.sketch(SignalKey(contract, Signal.FIRST_TOKEN)).add(stream.first_token_ns / SECOND)
    if stream.output_token_ns is not None:
        tick.sketch(SignalKey(contract, Signal.OUTPUT_TOKEN)).add(stream.output_token_ns / SECOND)
    between = tick.sketch(SignalKey(contract, Signal.INTER_TOKEN)) if stream.gaps else Sketch()
    for gap, tokens in stream.gaps:
        between.add(gap / tokens / SECOND, tokens)


def _in_force(objectives: tuple[Deciding, ...], due_ns: int) -> tuple[Deciding, ...]:
    """Those by whose terms a request that was due at this instant is judged."""
    dated = any(each.begins is not None or each.ends is not None for each in objectives)
    return tuple(each for each in objectives if each.in_force(due_ns)) if dated else objectives


def bounds_of(contract: Contract) -> tuple[float, ...]:
    """The usual bucket bounds and every threshold of the contract, in seconds, ascending."""
    thresholds = {each.under for each in contract.objectives if each.under is not None}
    return tuple(sorted({*USUAL_BOUNDS, *thresholds}))
