"""What one contract counts between two reads of its series.

Guarantees: good and all requests come from one instant; what cannot be read is an error and never good: a bucket
that is not there, counters of which there are none. Two ways behind one Protocol: cumulative counters, and gauges
of which each scrape is one request.
"""

import math
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
from keeptime.observe.series.increments import Targets, Watched, Whole
from keeptime.units import format_duration

Tallies = Mapping[ObjectiveKey, Tally]
Scraped = tuple[bool, float | None]
"""Whether a probe succeeded, and how long it took, if that was scraped too."""
LONGEST_SPAN = 86_400.0
"""Seconds after which a gap in the reads of a prober's samples is given up."""
PAST_SPAN = 21_600.0
"""Seconds of a prober's past that are asked for at a time."""
LATEST_SCRAPE = 300.0
"""A sample bears the time at which its scrape began, and is there when it has ended: so long after at most."""


BEFORE = 0.001
"""What was counted up to an instant happened before it, so the terms of just before it hold."""


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
        self._objectives = [(contract.key(each), each) for each in contract.objectives]
        self._terms: list[Cumulative] = []
        for _, objective in self._objectives:
            found = counting(objective, self._counts)
            assert isinstance(found, Cumulative), "gauges are read by Scrapes"
            self._terms.append(found)
        every = _in_order(tuple(self._terms))
        self._targets = Targets()
        self._watched = {term.expression: Watched() for term in every}
        self._whole = {
            (nth, which): Whole() for nth in range(len(self._terms)) for which in ("good", "total", "left_out")
        }

    async def read(self, api: Queries, at: float) -> Tallies:
        found = {expression: await api.instant(expression, at) for expression in self._watched}
        for (key, objective), each in zip(self._objectives, self._terms, strict=True):
            if objective.in_force(at - BEFORE):
                await self._check(api, key, objective, each, found, at)
        for expression, watched in self._watched.items():
            watched.check(found[expression], at)
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
        targets = self._targets.known(at)
        grown = {
            expression: each.advance(found.get(expression, ()), at, targets)
            for expression, each in self._watched.items()
        }
        for lines in found.values():
            self._targets.note(lines, at)
        tallies = {}
        for nth, ((key, objective), terms) in enumerate(zip(self._objectives, self._terms, strict=True)):
            total = self._whole[nth, "total"].of(_sum(terms.total, grown))
            good = self._whole[nth, "good"].of(_sum(terms.good, grown), most=total)
            left_out = self._whole[nth, "left_out"].of(_left_out(objective, terms, grown))
            if objective.in_force(at - BEFORE):
                tallies[key] = Tally(good=good, bad=total - good, excluded=left_out)
        return tallies

    async def _check(
        self,
        api: Queries,
        key: ObjectiveKey,
        objective: Objective,
        terms: Cumulative,
        found: Mapping[str, Sequence[Line]],
        at: float,
    ) -> None:
        """Is there what must be there? Raises SourceError with what to do about it."""
        for wanted in (terms.total, terms.good):
            added = [term.expression for term in wanted if term.sign > 0]
            if any(line.samples for expression in added for line in found[expression]):
                continue
            counts = self._counts
            if wanted is terms.good and isinstance(counts, ClassicHistogram) and objective.under is not None:
                raise SourceError(f"{key}: {await _bounds_found(api, counts, objective, at)}")
            raise SourceError(f"{key}: Prometheus has no series for {' or '.join(added)}")


class Scrapes:
    """Gauges of a prober: each scraped sample is one request, counted once by its own time."""

    def __init__(self, contract: Contract, gauges: ProbeGauges) -> None:
        self._objectives = [(contract.key(each), each) for each in contract.objectives]
        self._gauges = gauges
        self._success = select(gauges.success, gauges.selector)
        self._duration = select(gauges.duration, gauges.selector)
        self._seen: dict[Labels, float] = {}
        self._until: float | None = None
        self._since = 0.0

    async def read(self, api: Queries, at: float) -> Tallies:
        if self._until is None:
            self._since = at
            await self._new(api, at - LATEST_SCRAPE, at)  # says at once if there is nothing to read
            self._until = at
            return {}
        scraped = await self._new(api, max(self._until, at - LONGEST_SPAN) - LATEST_SCRAPE, at)
        self._until = at
        return self._tallies(scraped)

    async def past(
        self, api: Queries, start: float, end: float, step: float
    ) -> AsyncIterator[tuple[float, Tallies]]:
        if self._until is None:
            self._since = start
        at = start
        while at < end:
            until = min(end, at + max(step, PAST_SPAN // step * step))
            by_instant: dict[float, list[tuple[float, Scraped]]] = {}
            for when, each in await self._past(api, at, until):
                by_instant.setdefault(min(until, at + math.ceil((when - at) / step) * step), []).append(
                    (when, each)
                )
            for instant in sorted(by_instant):
                yield instant, self._tallies(by_instant[instant])
            at = until
        self._until = end

    async def _past(self, api: Queries, after: float, until: float) -> list[tuple[float, Scraped]]:
        try:
            return await self._new(api, after, until)
        except NothingScraped:
            return []

    async def _new(self, api: Queries, after: float, until: float) -> list[tuple[float, Scraped]]:
        """What was scraped in this time and not counted yet, by its own time; it is then known as counted."""
        span = f"[{max(1, round((until - after) * 1000))}ms]"
        success = await api.instant(f"{self._success}{span}", until)
        if not any(line.samples for line in success):
            raise NothingScraped(f"Prometheus has no samples of {self._success} in the last {until - after:g} s")
        took = {
            (line.labels, at): value
            for line in await api.instant(f"{self._duration}{span}", until)
            for at, value in line.samples
        }
        found: list[tuple[float, Scraped]] = []
        for line in success:
            counted = self._seen.get(line.labels, self._since)
            for at, value in line.samples:
                if counted < at <= until:
                    found.append((at, (value == 1, took.get((line.labels, at)))))
                self._seen[line.labels] = max(at, self._seen.get(line.labels, self._since))
        # no later query reaches further back, so what is older cannot come again
        self._seen = {labels: at for labels, at in self._seen.items() if until - at <= 2 * LATEST_SCRAPE}
        return found

    def _tallies(self, scraped: Sequence[tuple[float, Scraped]]) -> Tallies:
        """Each by the terms in force when it was scraped."""
        tallies: dict[ObjectiveKey, Tally] = {}
        for key, objective in self._objectives:
            judged = [each for when, each in scraped if objective.in_force(when)]
            tallies[key] = tallies.get(key, Tally()) + self._tally(objective, judged)
        return tallies

    def _tally(self, objective: Objective, scraped: Sequence[Scraped]) -> Tally:
        """One whose duration was not scraped is not known to be good."""
        under = None if objective.under is None else objective.under * self._gauges.unit.per_second
        counted = [each for each in scraped if each[0] or objective.errors == "bad"]
        good = sum(well and (under is None or (took is not None and took <= under)) for well, took in counted)
        return Tally(good=good, bad=len(counted) - good, excluded=len(scraped) - len(counted))


class NothingScraped(SourceError):
    """There are no samples in this time."""


def _in_order(each: Sequence[Cumulative]) -> list[Term]:
    """All requests are asked for before good ones: a scrape that ends in between makes good ones early (they wait
    for the next read), never requests bad."""
    totals = [term for one in each for term in sorted(one.total, key=lambda term: -term.sign)]
    goods = [term for one in each for term in sorted(one.good, key=lambda term: term.sign)]
    return [*totals, *goods]


def _sum(terms: Sequence[Term], grown: Mapping[str, float]) -> float:
    return sum(term.sign * grown[term.expression] for term in terms)


def _left_out(objective: Objective, terms: Cumulative, grown: Mapping[str, float]) -> float:
    """What `errors: excluded` takes away from all requests."""
    failed = [term for term in terms.total if term.sign < 0] if objective.errors == "excluded" else []
    return sum(grown[term.expression] for term in failed)


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
