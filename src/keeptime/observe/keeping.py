"""Requests that are kept as evidence: those that were slow or failed, and a few others to compare them with.

Guarantees: of each contract at most so many of each kind in ten seconds; where there are more, each is as likely
to be kept as any other, and what is kept says for how many it stands, so that counts of attributes stay true. Costs
one draw for a request that is not kept. Any thread may add. Reads no clock: a request belongs to the time at which
it was given. Source: reservoir sampling (Vitter's algorithm R, 1985).
"""

import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keeptime.contract.terms import Contract
from keeptime.model.batch import Batch
from keeptime.model.exemplar import Exemplar
from keeptime.model.key import Signal
from keeptime.model.phases import PHASES
from keeptime.model.sample import PROBE, Sample
from keeptime.model.trace import Why

WINDOW_SECONDS = 10
SECOND = 1_000_000_000
FAILED = -1
MOST = {Why.FAILED: 40, Why.SLOW: 40, Why.USUAL: 5}
"""Of a contract in one window; of slow ones, of each that exceeds one threshold more."""
MOST_ATTRIBUTES, LONGEST = 30, 200
"""Of one exemplar, and characters of a value."""
MOST_SUMMED = 60
"""Of a contract in one window, of those that are summed up."""


@dataclass(slots=True)
class _Kind:
    """Of one kind in one window: how many there were, and those that are kept."""

    seen: int = 0
    kept: list[Sample] = field(default_factory=list)


Kinds = dict[tuple[str, str, int], _Kind]
"""By contract, observer, and how many thresholds are exceeded."""


class Keeping:
    """Of these contracts. `chance`: draws in [0, 1)."""

    def __init__(self, contracts: Sequence[Contract], chance: random.Random | None = None) -> None:
        self._lock = threading.Lock()
        self._chance = chance or random.Random()
        self._open: Kinds = {}
        self._summed: list[Exemplar] = []
        self._summed_of: dict[str, int] = {}
        self._thresholds: Mapping[str, tuple[tuple[Signal, int], ...]] = {}
        self.replace(contracts)

    def replace(self, contracts: Sequence[Contract]) -> None:
        """Of these from now on."""
        self._thresholds = {each.name: _thresholds(each) for each in contracts}

    def add(self, sample: Sample) -> None:
        """One request that was counted."""
        thresholds = self._thresholds.get(sample.contract)
        if thresholds is None:
            return
        kind = FAILED if sample.failure is not None else _exceeded(sample, thresholds)
        most = MOST[_why(kind)]
        with self._lock:
            found = self._open.setdefault((sample.contract, sample.observer, kind), _Kind())
            found.seen += 1
            if len(found.kept) < most:
                found.kept.append(sample)
            elif (place := int(self._chance.random() * found.seen)) < most:
                found.kept[place] = sample

    def add_batch(self, batch: Batch) -> None:
        """Requests that somebody else measured and summed up, where it is known more of them than that: as two, of
        which each stands for many."""
        of = [under for signal, under in self._thresholds.get(batch.contract, ()) if signal is Signal.REQUESTS]
        known = batch.attributes.keys() - {"observer"}
        if not known or not of or batch.signal is not Signal.REQUESTS:
            return
        made = _of_batch(batch, min(of))
        with self._lock:
            room = MOST_SUMMED - self._summed_of.get(batch.contract, 0)
            kept = made[: max(0, room)]
            self._summed += kept
            self._summed_of[batch.contract] = self._summed_of.get(batch.contract, 0) + len(kept)

    def now(self, contract: str) -> list[Exemplar]:
        """Those of the window that is open."""
        with self._lock:
            there = [(key, each.seen, list(each.kept)) for key, each in self._open.items() if key[0] == contract]
            summed = [each for each in self._summed if each.contract == contract]
        return [*summed, *(one for each in there for one in _exemplars(*each))]

    def close(self) -> list[Exemplar]:
        """Those of the window that was open until now; a new one begins."""
        with self._lock:
            there, self._open = self._open, {}
            summed, self._summed, self._summed_of = self._summed, [], {}
        return [*summed, *(one for key, each in there.items() for one in _exemplars(key, each.seen, each.kept))]


def _of_batch(batch: Batch, under_ns: int) -> list[Exemplar]:
    """Its slow or failed requests as one, and the others. Of either no more is known than on which side it lies."""
    sides = batch.sides(under_ns)
    attributes = {name: value[:LONGEST] for name, value in batch.attributes.items() if name != "observer"}
    kinds = (
        (Why.SLOW, under_ns + 1, "", sides.beyond),
        (Why.FAILED, under_ns, "status", batch.failed),
        (Why.USUAL, under_ns, "", sides.within),
    )
    return [
        Exemplar(
            contract=batch.contract,
            at_ns=batch.until_ns,
            latency_ns=took,
            why=why,
            failure=failure,
            observer=batch.attributes.get("observer", "scrape"),
            weight=float(count),
            attributes=attributes,
        )
        for why, took, failure, count in kinds
        if count
    ]


def _thresholds(contract: Contract) -> tuple[tuple[Signal, int], ...]:
    return tuple(sorted({(each.of, each.under_ns) for each in contract.objectives if each.under_ns is not None}))


def _exceeded(sample: Sample, thresholds: tuple[tuple[Signal, int], ...]) -> int:
    if len(thresholds) == 1 and thresholds[0][0] is Signal.REQUESTS:
        return int(sample.latency_ns > thresholds[0][1])
    signals = {Signal.REQUESTS.value: sample.latency_ns, **signals_of(sample)}
    return sum(signals.get(of.value, 0) > under for of, under in thresholds)


def _why(kind: int) -> Why:
    return Why.FAILED if kind == FAILED else Why.SLOW if kind else Why.USUAL


def _exemplars(key: tuple[str, str, int], seen: int, kept: Sequence[Sample]) -> list[Exemplar]:
    return [exemplar_of(each, _why(key[2]), seen / len(kept)) for each in kept]


def exemplar_of(sample: Sample, why: Why, weight: float = 1.0) -> Exemplar:
    """What is kept of a request that was counted."""
    attributes = dict(sample.attributes)
    trace = attributes.pop("trace_id", "") or sample.trace
    attributes = {**sample.headers, **attributes}
    if sample.observer == PROBE:
        attributes["connection"] = sample.connection.value
    else:
        attributes.pop("connection", None)
    told = list(attributes.items())[:MOST_ATTRIBUTES]
    return Exemplar(
        contract=sample.contract,
        at_ns=sample.done_ns,
        latency_ns=sample.latency_ns,
        why=why,
        failure="" if sample.failure is None else sample.failure.value,
        status=sample.status,
        observer=sample.observer,
        weight=weight,
        phases=_phases(sample),
        timings=sample.timings,
        attributes={name: value[:LONGEST] for name, value in told},
        trace=trace,
        signals=signals_of(sample),
    )


def _phases(sample: Sample) -> Mapping[str, int]:
    """Those that took any time; traffic has none of its own."""
    if sample.observer != PROBE:
        return {}
    return {name: took for name in PHASES if (took := getattr(sample.phases, name))}


def signals_of(sample: Sample) -> Mapping[str, int]:
    """Nanoseconds of what came in pieces; of the gaps between tokens the longest."""
    stream = sample.stream
    if stream is None or stream.first_token_ns is None:
        return {}
    found = {Signal.FIRST_TOKEN.value: stream.first_token_ns}
    if stream.output_token_ns is not None:
        found[Signal.OUTPUT_TOKEN.value] = round(stream.output_token_ns)
    if stream.gaps:
        found[Signal.INTER_TOKEN.value] = max(gap // tokens for gap, tokens in stream.gaps)
    return found
