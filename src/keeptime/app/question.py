"""Puts together what is asked about an incident: evidence, counts, changes, and what may go along with it.

Guarantees: reads alone; bounded work. What an objective does not count is not held against it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from keeptime.app.evident import Evident
from keeptime.app.past_series import StoredPast
from keeptime.app.ports import Store
from keeptime.contract.eligibility import fits
from keeptime.contract.terms import Contract, Objective
from keeptime.explain.along import Along
from keeptime.explain.cause import Asked
from keeptime.explain.changing import MOST_BINS, Counts
from keeptime.explain.evidence import evidence_of, paused_of
from keeptime.model.event import NEW_CONTRACT, EventQuery
from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.explanation import CauseKind
from keeptime.model.incident import Incident, IncidentQuery
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.model.series import Series, SketchSeries
from keeptime.model.sketch import Sketch, bucket_index
from keeptime.model.tally import Tally
from keeptime.model.trace import Why
from keeptime.tell.ports import InStore

BEFORE = 3_300.0
"""Seconds before an incident that are looked at."""
LONGEST = 7_200.0
"""Seconds of an incident that are looked at."""
KNOWN_SINCE = 7 * 86_400.0
"""How far back changes are counted, to know how often there is one."""
MOST = {Why.SLOW: 4_000, Why.FAILED: 2_000, Why.USUAL: 4_000}
MOST_EVENTS, MOST_NEIGHBOURS, MOST_EARLIER = 200, 4, 50
SETTLE = 1.0
"""Seconds after the end in which a request that was judged in it can have ended."""
LEAD = 15.0
"""Seconds before an alert in which requests were bad already."""
QUANTILES = (0.25, 0.5, 0.75, 0.9, 0.99)
"""At which latencies are cut into classes."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask; `contracts`: those that are kept now, with the terms that are in force."""

    evident: Evident
    past: StoredPast
    store: Store
    in_store: InStore
    tick_seconds: float
    contracts: Callable[[], Sequence[Contract]]

    async def about(self, incident: Incident, now: float) -> Asked | None:
        """None where its contract or objective is kept no more. Raises StoreError."""
        contract = next((each for each in self.contracts() if each.name == incident.key.contract), None)
        objective = None if contract is None else _objective(contract, incident.key.objective)
        if contract is None or objective is None:
            return None
        until = min(now, incident.started + LONGEST, now if incident.ended is None else incident.ended)
        key = contract.key(objective)
        counts = await self._counts(key, objective, incident.started - BEFORE, until)
        since = incident.started - BEFORE if counts is None else float(counts.edges[0])
        earlier = await self._earlier(incident, since)
        kept = await self._exemplars(contract.name, objective, since, until + SETTLE)
        under = objective.under_ns, objective.of
        exemplars = [each for each in kept if not (each.bad(*under) and _lies_in(each.at_ns / 1e9, earlier))]
        events = await self.in_store(
            self.store.events, EventQuery(contract.name, since=now - KNOWN_SINCE, until=now, most=MOST_EVENTS)
        )
        counts = counts or Counts(np.array([since, until]), np.zeros((1, 2)), np.zeros(1))
        apart = np.array([_lies_in(float(at), earlier) for at in counts.edges[:-1]], dtype=np.bool_)
        quiet = ~(apart & (counts.bad > 0))
        return Asked(
            incident=incident.id,
            at=now,
            evidence=evidence_of(_of_one_observer(exemplars, objective), *under),
            counts=_without(counts, quiet),
            events=[each for each in events if each.text != NEW_CONTRACT],
            events_since=now - KNOWN_SINCE,
            series=[replace(each, values=each.values[quiet]) for each in await self._series(contract, counts)],
            paused=paused_of(exemplars, objective.under_ns),
            late=[each for each in exemplars if each.stacks and each.at_ns / 1e9 >= incident.started - LEAD],
        )

    async def _earlier(self, incident: Incident, since: float) -> list[tuple[float, float]]:
        """Other incidents of its objective: what was bad in them has a cause of its own."""
        asked = IncidentQuery(incident.key.contract, incident.key.objective, since=since, most=MOST_EARLIER)
        found = await self.in_store(self.store.incidents, asked)
        return [
            (each.started - LEAD, each.ended)
            for each in found
            if each.id != incident.id and each.ended is not None and each.started < incident.started
        ]

    async def _counts(self, key: ObjectiveKey, objective: Objective, start: float, end: float) -> Counts | None:
        """From when anything was counted on."""
        series = await self.past.counts(key, start, end, MOST_BINS)
        begun = next((each.start for each in series if each.value is not None and each.value.events), None)
        if begun is None:
            return None
        start = max(start, begun * self.tick_seconds)
        series = await self.past.counts(key, start, end, MOST_BINS)
        sketches: SketchSeries = ()
        if objective.of is Signal.REQUESTS and not objective.where and not objective.segment:
            sketches = await self.past.latencies(SignalKey(key.contract, objective.of), start, end, MOST_BINS)
        return counts_of(series, sketches, self.tick_seconds)

    async def _exemplars(self, contract: str, one: Objective, since: float, until: float) -> list[Exemplar]:
        found = [
            each
            for why, most in MOST.items()
            for each in await self.evident.exemplars(ExemplarQuery(contract, since, until, why, most))
        ]
        fit = [each for each in found if not one.where or fits(one.where, _known(each))]
        if one.errors == "excluded":
            fit = [each for each in fit if not each.failure]
        return fit

    async def _series(self, contract: Contract, counts: Counts) -> tuple[Along, ...]:
        """Its own load, and that of others on the same host."""
        found = [Along(CauseKind.TRAFFIC, contract.name, "requests", counts.total)]
        host = _host(contract)
        beside = [each for each in self.contracts() if each.name != contract.name and host and _host(each) == host]
        for other in beside[:MOST_NEIGHBOURS]:
            key = other.key(other.objectives[0])
            edges = float(counts.edges[0]), float(counts.edges[-1])
            series = await self.past.counts(key, *edges, MOST_BINS)
            values = np.array([0.0 if each.value is None else each.value.events for each in series])
            if len(values) != len(counts.bad):  # where nothing of its own was counted there are no bins
                continue
            found.append(Along(CauseKind.NEIGHBOUR, other.name, "requests", values))
        return tuple(found)


def _lies_in(at: float, spans: Sequence[tuple[float, float]]) -> bool:
    return any(start <= at < end for start, end in spans)


def _without(counts: Counts, kept: NDArray[np.bool_]) -> Counts:
    """These bins alone."""
    edges = np.append(counts.edges[:-1][kept], counts.edges[-1])
    return Counts(edges, counts.classes[kept], counts.bad[kept])


def counts_of(series: Series, sketches: SketchSeries, tick_seconds: float) -> Counts:
    """As `changed` wants them: by latency where latencies are known bin by bin, else good and bad alone."""
    tallies = [each.value or Tally() for each in series]
    bad = np.array([each.bad for each in tallies], dtype=np.float64)
    total = np.array([each.good + each.bad for each in tallies], dtype=np.float64)
    edges = np.array([*(each.start for each in series), series[-1].end], dtype=np.float64) * tick_seconds
    same = [(each.start, each.end) for each in series] == [(each.start, each.end) for each in sketches]
    classes = _classes([each.value for each in sketches], total) if same else None
    return Counts(edges, np.column_stack([total - bad, bad]) if classes is None else classes, bad)


def _classes(sketches: Sequence[Sketch | None], total: Floats) -> Floats | None:
    """Latencies of what succeeded, cut at quantiles of all of it, and the rest."""
    whole = Sketch()
    for each in sketches:
        if each is not None:
            whole.merge(each)
    if not whole.count:
        return None
    cuts = sorted({cut for q in QUANTILES if (cut := whole.quantile(q)) is not None})
    rows = np.array([[0.0] * len(cuts) if one is None else [_within(one, cut) for cut in cuts] for one in sketches])
    all_of = np.array([0.0 if one is None else one.count for one in sketches])
    if (all_of > total).any():
        return None  # not every request is an event of this objective
    parts = np.diff(np.column_stack([np.zeros(len(rows)), rows, all_of, total]), axis=1)
    return np.maximum(parts, 0.0)


def _within(one: Sketch, seconds: float) -> int:
    """How many took at most so long, as far as its buckets tell."""
    last = bucket_index(seconds, one.scale) if seconds > 0 else None
    below = 0 if last is None else sum(count for index, count in one.buckets.items() if index <= last)
    return one.zeros + below


def _objective(contract: Contract, name: str) -> Objective | None:
    return next((each for each in contract.objectives if each.name == name), None)


def _known(one: Exemplar) -> Mapping[str, str]:
    status = {} if one.status is None else {"status": str(one.status)}
    failure = {"failure": one.failure} if one.failure else {}
    return {**one.attributes, **status, **failure, "observer": one.observer}


def _of_one_observer(found: Sequence[Exemplar], one: Objective) -> list[Exemplar]:
    """Whoever saw most bad ones: probes and traffic are not mixed, for they know different things."""
    bad: dict[str, int] = {}
    for each in found:
        bad[each.observer] = bad.get(each.observer, 0) + each.bad(one.under_ns, one.of)
    observer = max(bad, key=lambda name: (bad[name], name), default="")
    return [each for each in found if each.observer == observer]


def _host(contract: Contract) -> str:
    return "" if contract.endpoint is None else urlsplit(contract.endpoint.url).hostname or ""
