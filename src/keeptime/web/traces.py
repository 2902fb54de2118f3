"""`GET /api/v1/traces?contract=NAME`: what was done for requests that were slow or failed.

Guarantees: attributes that can hold what people wrote, or a secret, are not shown. Knows the daemon by `Showable`
alone.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.view import Showable
from keeptime.model.trace import Trace, TraceSpan
from keeptime.web.answering import looked_up
from keeptime.web.kept import Json
from keeptime.web.periods import known_contract

SECOND = 1e9


@dataclass(frozen=True, slots=True)
class Traces:
    """The handler of the route."""

    daemon: Showable

    async def list(self, request: Request) -> Response:
        return await looked_up(request, lambda: self._list(request))

    async def _list(self, request: Request) -> dict[str, Json]:
        name = known_contract(request.query_params, self.daemon.snapshot()).name
        found = self.daemon.intake.traces_of(name)
        return {"contract": name, "traces": [trace_json(each) for each in found]}


def trace_json(one: Trace) -> dict[str, Json]:
    """Instants in Unix seconds; spans by when they began."""
    return {
        "trace": one.trace,
        "at": one.at_ns / SECOND,
        "latency_seconds": one.took_ns / SECOND,
        "why": str(one.why),
        "spans": [_span_json(each) for each in one.spans],
        "left_out": one.left_out,
    }


def _span_json(one: TraceSpan) -> dict[str, Json]:
    return {
        "span": one.span,
        "parent": one.parent or None,
        "name": one.name,
        "service": one.service,
        "kind": one.kind,
        "start": one.start_ns / SECOND,
        "seconds": one.took_ns / SECOND,
        "failed": one.failed,
        "attributes": dict(one.attributes),
    }
