"""`/api/v1/exemplars`: requests that are kept as evidence, listed and taken; `/api/v1/incidents/{id}/explanation`:
what they say of an incident.

Guarantees: of what is posted 200 says what became of each item, and nothing of it is counted for a promise. Who may
post is the guard's to say. Knows the daemon by `Showable` alone.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keeptime.app.happened import Unknown
from keeptime.app.view import Showable
from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.explanation import Cause, Explanation
from keeptime.model.trace import Why
from keeptime.observe.intake.exemplars import exemplars_of
from keeptime.observe.intake.refusing import IntakeRefused
from keeptime.observe.intake.when import When
from keeptime.web.answering import looked_up
from keeptime.web.incidents import known_incident
from keeptime.web.kept import Json
from keeptime.web.ledger import instant_of, whole_of
from keeptime.web.posted import Refused
from keeptime.web.pushing import status_of

SECOND = 1e9
PAGE, LARGEST = 100, 1000
"""Exemplars of one answer."""


@dataclass(frozen=True, slots=True)
class EvidenceRoutes:
    """The handlers of the three routes."""

    daemon: Showable

    async def list(self, request: Request) -> Response:
        return await looked_up(request, lambda: self._listed(request))

    async def take(self, request: Request) -> Response:
        contract, snapshot = request.path_params["contract"], self.daemon.snapshot()
        if contract not in {each.contract.name for each in snapshot.contracts}:
            return JSONResponse({"error": f"there is no contract {contract!r} here"}, 404)
        when = When.at(round(snapshot.at * SECOND), snapshot.tick_seconds)
        try:
            taken, refused = exemplars_of(contract, await request.body(), when)
        except IntakeRefused as error:
            return JSONResponse({"error": str(error)}, status_of(error))
        kept = self.daemon.explaining.take(taken)
        said = {"taken": kept, "dropped": len(taken) - kept, "refused_count": refused.count}
        return JSONResponse(said | {"refused": [{"at": at, "why": why} for at, why in refused.first]})

    async def explanation(self, request: Request) -> Response:
        return await looked_up(request, lambda: self._explanation(request))

    async def _listed(self, request: Request) -> dict[str, Json]:
        found = await self.daemon.explaining.exemplars(_query(request, self.daemon))
        return {"exemplars": [exemplar_json(each) for each in found]}

    async def _explanation(self, request: Request) -> dict[str, Json]:
        one = (await known_incident(self.daemon, request)).incident
        found = await self.daemon.explaining.explain(one.id)
        return {"incident": one.id, "explanation": None if found is None else explanation_json(found)}


def _query(request: Request, daemon: Showable) -> ExemplarQuery:
    given = request.query_params
    contract = given.get("contract", "")
    if contract not in {each.contract.name for each in daemon.snapshot().contracts}:
        raise Unknown(f"no contract '{contract}' is kept; name one with ?contract=NAME")
    why = given.get("why")
    if why is not None and why not in set(Why):
        raise Refused(f"why={why}: expected {', '.join(Why)}")
    try:
        most = whole_of(given, "limit", PAGE)
        span = [instant_of(given[name], name) if name in given else None for name in ("since", "until")]
    except ValueError as error:
        raise Refused(str(error)) from None
    if not 1 <= most <= LARGEST:
        raise Refused(f"limit={most}: expected 1 to {LARGEST}")
    return ExemplarQuery(contract, span[0], span[1], None if why is None else Why(why), most)


def exemplar_json(one: Exemplar) -> dict[str, Json]:
    """Instants in Unix seconds, times in seconds."""
    return {
        "at": one.at_ns / SECOND,
        "latency_seconds": one.latency_ns / SECOND,
        "why": one.why.value,
        "failure": one.failure or None,
        "status": one.status,
        "observer": one.observer,
        "weight": one.weight,
        "phases": {name: took / SECOND for name, took in one.phases.items()},
        "timings": {name: took / SECOND for name, took in one.timings.items()},
        "signals": {name: took / SECOND for name, took in one.signals.items()},
        "attributes": dict(one.attributes),
        "trace": one.trace or None,
        "stacks": [{"stack": stack, "count": count} for stack, count in one.stacks],
    }


def explanation_json(one: Explanation) -> dict[str, Json]:
    """Instants in Unix seconds, times in seconds, shares in 0-1."""
    changed, looked = one.changed, one.looked
    return {
        "at": one.at,
        "lines": list(one.lines),
        "stood": one.stood or None,
        "causes": [_cause_json(each) for each in one.causes],
        "changed": None
        if changed is None
        else {
            "at": changed.at,
            "earliest": changed.earliest,
            "latest": changed.latest,
            "until": changed.until,
            "bad_before": changed.before,
            "bad_during": changed.during,
        },
        "phases": [
            {"name": each.name, "usual_seconds": each.usual, "bad_seconds": each.bad, "part": each.most}
            for each in one.phases
        ],
        "looked": None
        if looked is None
        else {
            "bad": looked.bad,
            "good": looked.good,
            "since": looked.since,
            "until": looked.until,
            "attributes": looked.attributes,
            "phases": looked.phases,
            "events": looked.events,
            "series": looked.series,
        },
    }


def _cause_json(one: Cause) -> dict[str, Json]:
    share = one.share
    return {
        "kind": str(one.kind),
        "sentence": one.sentence,
        "names": list(one.names),
        "share": None if share is None else {"low": share.low, "at": share.at, "high": share.high},
    }
