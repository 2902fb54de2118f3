"""`/api/v1/incidents/{id}/traces` and `/incidents/{id}/traces`: where the time of slow requests went, span by span.

Guarantees: an incident that is not there is a 404; attributes that can hold what people wrote, or a secret, are not
shown. Knows the daemon by `Showable` alone.
"""

from dataclasses import dataclass, field

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from keeptime.app.tracing import Traces
from keeptime.app.view import Showable
from keeptime.errors import StoreError
from keeptime.explain.traces.compare import Compared, Grown, compare
from keeptime.explain.traces.critical import critical_path, tree_of
from keeptime.model.incident import Incident
from keeptime.model.trace import Trace
from keeptime.web.answering import tagged
from keeptime.web.incidents import known_id
from keeptime.web.kept import Json
from keeptime.web.pages.traced import page
from keeptime.web.traces import trace_json

SECOND = 1e9
SETTLE = 60.0
"""Seconds after an incident within which requests that belong to it can still end."""


@dataclass(frozen=True, slots=True)
class TracedRoutes:
    """The handlers of the two routes."""

    daemon: Showable
    one_at_a_time: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def listed(self, request: Request) -> Response:
        try:
            found = await self._found(request)
        except StoreError as error:
            return JSONResponse({"error": str(error)}, 503)
        if found is None:
            return JSONResponse(
                {"error": "there is no such incident; /api/v1/incidents lists those there are"}, 404
            )
        said = await to_thread.run_sync(traces_json, *found, limiter=self.one_at_a_time)
        return tagged(request, said)

    async def page(self, request: Request) -> Response:
        found = await self._found(request)
        if found is None:
            return JSONResponse({"error": "there is no such incident; /incidents lists those there are"}, 404)
        asked = (request.query_params.get("trace", ""), self.daemon.snapshot().at)
        return HTMLResponse(await to_thread.run_sync(page, *found, *asked, limiter=self.one_at_a_time))

    async def _found(self, request: Request) -> tuple[Incident, Traces] | None:
        name = request.path_params["id"]
        dossier = await self.daemon.happened.incident(name) if known_id(name) else None
        if dossier is None:
            return None
        one = dossier.incident
        end = self.daemon.snapshot().at if one.ended is None else one.ended + SETTLE
        return one, await self.daemon.tracing.traces(one.key.contract, one.started - SETTLE, end)


def traces_json(one: Incident, found: Traces) -> dict[str, Json]:
    """Newest first; instants in Unix seconds."""
    compared = compare(found.found)
    return {
        "incident": one.id,
        "compared": None if compared is None else _compared_json(compared),
        "traces": [_whole_json(each) for each in found.found],
        "problem": found.problem or None,
    }


def _compared_json(one: Compared) -> dict[str, Json]:
    return {
        "slow": one.slow,
        "usual": one.usual,
        "sentence": one.sentence or None,
        "work": [_grown_json(each) for each in one.grown],
    }


def _grown_json(one: Grown) -> dict[str, Json]:
    return {
        "service": one.service,
        "name": one.name,
        "slow_seconds": one.slow_ns / SECOND,
        "usual_seconds": one.usual_ns / SECOND,
        "more_seconds": one.more_ns / SECOND,
    }


def _whole_json(one: Trace) -> dict[str, Json]:
    tree = tree_of(one)
    path = () if tree is None else critical_path(tree)
    return trace_json(one) | {
        "critical_path": [
            {"span": each.span.span, "start": each.start_ns / SECOND, "seconds": each.took_ns / SECOND}
            for each in path
        ]
    }
