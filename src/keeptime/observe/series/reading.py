"""What one contract counts between two reads of its series.

Guarantees: good and all requests come from one instant; what cannot be read is an error and never good: a bucket
that is not there, counters of which there are none. Two ways behind one Protocol: cumulative counters, and gauges
of which each scrape is one request.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from keeptime.contract.counting import Cumulative, Term, counting
from keeptime.contract.matching import off_bound
from keeptime.contract.promql import select
from keeptime.contract.sources import ClassicHistogram, ProbeGauges
from keeptime.contract.terms import Contract, Objective
from keeptime.errors import SourceError
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally
from keeptime.observe.series.api import Labels, Line, Queries
from keeptime.observe.series.increments import Watched, Whole
from keeptime.units import format_duration

Tallies = Mapping[ObjectiveKey, Tally]
LONGEST_SPAN = 86_400.0
"""Seconds of raw samples that are asked for at a time."""


class Reading(Protocol):
    """The way in which a contract's series are read; carries what was read last."""

    async def read(self, api: Queries, at: float) -> Tallies:
        """What was counted since the last read; nothing at the first. Raises SourceError."""
        ...

    def past(self, api: Queries, start: float, end: float, step: float) -> AsyncIterator[tuple[float, Tallies]]:
        """What was counted up to each of these instants since the one before. Raises SourceError."""
        ...


def reading_of(contract: Contract) -> Reading:
    """The way that fits the contract's source. Raises SourceError where its thresholds cannot be judged exactly."""
    assert contract.source is not None, "a contract that is observed by probes is not read"
    counts = contract.source.counts
    if isinstance(counts, ProbeGauges):
        return Scrapes(contract, counts)
    if isinstance(counts, ClassicHistogram) and counts.buckets:
        for each in contract.objectives:
            if each.under is not None and each.under not in counts.buckets:
                raise SourceError(f"{contract.name}/{each.name}: {off_bound(each.under, counts.buckets)}")
    return Counters(contract)


class Counters:
    """Cumulative counters: histograms and expressions."""

    def __init__(self, contract: Contract) -> None:
        assert contract.source is not None, "a contract that is observed by probes is not read"
        self._counts = contract.source.counts
        self._objectives = {contract.key(each): each for each in contract.objectives}
        self._terms: dict[ObjectiveKey, Cumulative] = {}
        for key, objective in self._objectives.items():
            found = counting(objective, self._counts)
            assert isinstance(found, Cumulative), "gauges are read by Scrapes"
            self._terms[key] = found
        every = [term for each in self._terms.values() for term in (*each.good, *each.total)]
        self._watched = {term.expression: Watched() for term in every}
        self._whole = {(key, which): Whole() for key in self._terms for which in ("good", "total")}

    async def read(self, api: Queries, at: float) -> Tallies:
        found = {expression: await api.instant(expression, at) for expression in self._watched}
        for key, each in self._terms.items():
            await self._check(api, key, each, found, at)
        return self._count(found, at)

    async def past(
        self, api: Queries, start: float, end: float, step: float
    ) -> AsyncIterator[tuple[float, Tallies]]:
        lines = {expression: await api.span(expression, start, end, step) for expression in self._watched}
        by_instant: dict[float, dict[str, list[Line]]] = {}
        for expression, found in lines.items():
            for line in found:
                for sample in line.samples:
                    there = by_instant.setdefault(sample[0], {})
                    there.setdefault(expression, []).append(Line(line.labels, (sample,)))
        for at in sorted(by_instant):
            yield at, self._count(by_instant[at], at)

    def _count(self, found: Mapping[str, Sequence[Line]], at: float) -> Tallies:
        grown = {
            expression: each.advance(found.get(expression, ()), at) for expression, each in self._watched.items()
        }
        tallies = {}
        for key, terms in self._terms.items():
            total = self._whole[key, "total"].of(max(0.0, _sum(terms.total, grown)))
            good = self._whole[key, "good"].of(max(0.0, _sum(terms.good, grown)))
            tallies[key] = Tally(good=min(good, total), bad=max(0, total - good))
        return tallies

    async def _check(
        self, api: Queries, key: ObjectiveKey, terms: Cumulative, found: Mapping[str, Sequence[Line]], at: float
    ) -> None:
        """Is there what must be there? Raises SourceError with what to do about it."""
        for wanted in (terms.total, terms.good):
            added = [term.expression for term in wanted if term.sign > 0]
            if any(found[expression] for expression in added):
                continue
            counts, objective = self._counts, self._objectives[key]
            if wanted is terms.good and isinstance(counts, ClassicHistogram) and objective.under is not None:
                raise SourceError(f"{key}: {await _bounds_found(api, counts, objective, at)}")
            raise SourceError(f"{key}: Prometheus has no series for {' or '.join(added)}")


class Scrapes:
    """Gauges of a prober: each scraped sample is one request, counted once by its own time."""

    def __init__(self, contract: Contract, gauges: ProbeGauges) -> None:
        self._objectives = {contract.key(each): each for each in contract.objectives}
        self._gauges = gauges
        self._success = select(gauges.success, gauges.selector)
        self._duration = select(gauges.duration, gauges.selector)
        self._until: float | None = None

    async def read(self, api: Queries, at: float) -> Tallies:
        after = at if self._until is None else max(self._until, at - LONGEST_SPAN)
        if self._until is not None:
            tallies = await self._between(api, after, at)
        else:
            await self._between(api, at - 300, at)  # says at once if there is nothing to read
            tallies = {}
        self._until = at
        return tallies

    async def past(
        self, api: Queries, start: float, end: float, step: float
    ) -> AsyncIterator[tuple[float, Tallies]]:
        at = start
        while at < end:
            until = min(end, at + step)
            try:
                found = await self._between(api, at, until)
            except NothingScraped:
                found = {}
            if any(tally.events for tally in found.values()):
                yield until, found
            at = until
        self._until = end

    async def _between(self, api: Queries, after: float, until: float) -> Tallies:
        span = f"[{max(1, round((until - after) * 1000))}ms]"
        success = await api.instant(f"{self._success}{span}", until)
        if not success:
            raise NothingScraped(f"Prometheus has no samples of {self._success} in the last {until - after:g} s")
        took = {
            (line.labels, at): value
            for line in await api.instant(f"{self._duration}{span}", until)
            for at, value in line.samples
        }
        scraped = [
            (value == 1, took.get((line.labels, at)))
            for line in success
            for at, value in line.samples
            if after < at <= until
        ]
        return {key: self._tally(each, scraped) for key, each in self._objectives.items()}

    def _tally(self, objective: Objective, scraped: Sequence[tuple[bool, float | None]]) -> Tally:
        """One whose duration was not scraped is not known to be good."""
        under = None if objective.under is None else objective.under * self._gauges.unit.per_second
        counted = [each for each in scraped if each[0] or objective.errors == "bad"]
        good = sum(well and (under is None or (took is not None and took <= under)) for well, took in counted)
        return Tally(good=good, bad=len(counted) - good)


class NothingScraped(SourceError):
    """There are no samples in this time."""


def _sum(terms: Sequence[Term], grown: Mapping[str, float]) -> float:
    return sum(term.sign * grown[term.expression] for term in terms)


async def _bounds_found(api: Queries, counts: ClassicHistogram, objective: Objective, at: float) -> str:
    """A sentence: the threshold's bucket is not there, and which ones are."""
    buckets = select(f"{counts.metric}_bucket", counts.selector)
    bounds = sorted({_le(line.labels) for line in await api.instant(f"count by (le) ({buckets})", at)})
    named = ", ".join(format_duration(each / counts.unit.per_second) for each in bounds if each < float("inf"))
    return (
        f"{counts.metric} has no bucket at the threshold {format_duration(objective.under or 0)}, so it cannot be "
        f"judged; its bounds are {named or 'none'}"
    )


def _le(labels: Labels) -> float:
    return float(dict(labels).get("le", "inf"))
