"""`/api/v1/incidents/{id}/traces` and `/incidents/{id}/traces`: where the time of slow requests went, span by span.

Guarantees: an incident that is not there is a 404; attributes that can hold what people wrote, or a secret, are not
shown. Knows the daemon by `Showable` alone.
"""

from dataclasses import dataclass, field

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.tracing import Traces
from keeptime.app.view import Showable
from keeptime.explain.traces.compare import Compared, Grown, compare
from keeptime.explain.traces.critical import critical_path, tree_of
from keeptime.model.incident import Incident
from keeptime.model.trace import Trace
from keeptime.web.answering import looked_up
from keeptime.web.incidents import around, known_incident
from keeptime.web.kept import Json
from keeptime.web.pages.answered import shown
from keeptime.web.pages.incidents import HERE, NO_INCIDENT
from keeptime.web.pages.traced import page
from keeptime.web.traces import trace_json

SECOND = 1e9


@dataclass(frozen=True, slots=True)
class TracedRoutes:
    """The handlers of the two routes."""

    daemon: Showable
    one_at_a_time: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def listed(self, request: Request) -> Response:
        return await looked_up(request, lambda: self._listed(request))

    async def page(self, request: Request) -> Response:
        return await shown(request, HERE, lambda: self._page(request))

    async def _listed(self, request: Request) -> dict[str, Json]:
        one = (await known_incident(self.daemon, request)).incident
        found = await self._found(one, self.daemon.snapshot().at)
        return await to_thread.run_sync(traces_json, one, found, limiter=self.one_at_a_time)

    async def _page(self, request: Request) -> str:
        one = (await known_incident(self.daemon, request, NO_INCIDENT)).incident
        asked, now = request.query_params.get("trace", ""), self.daemon.snapshot().at
        found = await self._found(one, now)
        return await to_thread.run_sync(page, one, found, asked, now, limiter=self.one_at_a_time)

    async def _found(self, one: Incident, now: float) -> Traces:
        return await self.daemon.tracing.traces(one.key.contract, *around(one, now))


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
