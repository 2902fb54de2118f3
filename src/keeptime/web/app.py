"""The one port's routes: first page, API, probe, health and /metrics of a running daemon.

Guarantees: showing changes nothing (`/probe` alone sends a request to a configured endpoint; what is posted has
dead letters sent again or forgotten, contracts read again, operators muted, alerts taken on, changes marked,
requests counted); an unknown route or an error inside is answered in JSON without a traceback. Knows the daemon by
`Showable` alone.
"""

from collections.abc import Awaitable, Callable

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from keeptime.app.view import Showable
from keeptime.web.answering import tagged
from keeptime.web.api.document import document
from keeptime.web.describe import contracts_json, health_json, pair_json
from keeptime.web.door import Door
from keeptime.web.events import EventRoutes
from keeptime.web.evidence import EvidenceRoutes
from keeptime.web.exclusions import ExclusionRoutes
from keeptime.web.guard import HEADERS, Guard
from keeptime.web.incidents import IncidentRoutes
from keeptime.web.ledger import LedgerRoutes
from keeptime.web.live import Live
from keeptime.web.metrics import exposition
from keeptime.web.otlp import Otlp
from keeptime.web.outbox import Outbox
from keeptime.web.pages.routes import PATHS, page_routes
from keeptime.web.periods import PeriodRoutes
from keeptime.web.probing import Probing
from keeptime.web.pushing import Pushing
from keeptime.web.quieting import Quiet
from keeptime.web.reloading import Reload
from keeptime.web.report import ReportRoute
from keeptime.web.series import SeriesRoutes
from keeptime.web.status import StatusRoutes
from keeptime.web.traced import TracedRoutes
from keeptime.web.traces import Traces

ROUTES = (
    "/",
    *PATHS,
    "/status/CONSUMER",
    "/status/CONSUMER/feed.atom",
    "/status/CONSUMER/badge.svg",
    "/metrics",
    "/probe?contract=NAME",
    "/api/v1/contracts",
    "/api/v1/periods?contract=NAME",
    "/api/v1/report?contract=NAME&period=NAME",
    "/api/v1/exclusions?contract=NAME",
    "/api/v1/exclusions/end",
    "/api/v1/series?contract=NAME&objective=NAME",
    "/api/v1/latency?contract=NAME",
    "/api/v1/phases?contract=NAME",
    "/api/v1/ledger?after=SEQ",
    "/api/v1/ledger/head",
    "/api/v1/outbox?dead=true",
    "/api/v1/outbox/replay",
    "/api/v1/outbox/discard",
    "/api/v1/reload",
    "/api/v1/incidents?contract=NAME&open=true",
    "/api/v1/incidents/ID",
    "/api/v1/incidents/ID/traces",
    "/incidents/ID/traces",
    "/api/v1/exemplars?contract=NAME",
    "/api/v1/exemplars/CONTRACT",
    "/api/v1/incidents/ID/explanation",
    "/api/v1/live",
    "/api/v1/events?contract=NAME",
    "/api/v1/openapi.json",
    "/api/v1/silences?all=true",
    "/api/v1/silences/end",
    "/api/v1/acks",
    "/api/v1/push/CONTRACT",
    "/api/v1/traces?contract=NAME",
    "/v1/metrics",
    "/v1/traces",
    "/healthz",
)

Handler = Callable[[Request], Awaitable[Response]]


def build(daemon: Showable, door: Door | None = None) -> Starlette:
    """The app that shows this daemon. Without a door given: for a loopback address, where nobody is asked."""
    door = door or Door()
    status = StatusRoutes(daemon, door.proxies)
    return Starlette(
        routes=[
            *page_routes(daemon),
            Route("/status/{name}", status.page),
            Route("/status/{name}/feed.atom", status.feed),
            Route("/status/{name}/badge.svg", status.badge),
            Route("/metrics", _metrics(daemon, door)),
            Route("/probe", Probing(daemon).handle, methods=["GET"]),
            Route("/api/v1/contracts", _contracts(daemon)),
            Route("/api/v1/periods", PeriodRoutes(daemon).list),
            Route("/api/v1/report", ReportRoute(daemon).get),
            Route("/api/v1/exclusions", ExclusionRoutes(daemon).list, methods=["GET"]),
            Route("/api/v1/exclusions", ExclusionRoutes(daemon).declare, methods=["POST"]),
            Route("/api/v1/exclusions/end", ExclusionRoutes(daemon).end, methods=["POST"]),
            Route("/api/v1/series", SeriesRoutes(daemon).counts),
            Route("/api/v1/latency", SeriesRoutes(daemon).latency),
            Route("/api/v1/phases", SeriesRoutes(daemon).phases),
            Route("/api/v1/ledger", LedgerRoutes(daemon).list),
            Route("/api/v1/ledger/head", LedgerRoutes(daemon).head),
            Route("/api/v1/outbox", Outbox(daemon).list),
            Route("/api/v1/outbox/replay", Outbox(daemon).replay, methods=["POST"]),
            Route("/api/v1/outbox/discard", Outbox(daemon).discard, methods=["POST"]),
            Route("/api/v1/reload", Reload(daemon).post, methods=["POST"]),
            Route("/api/v1/incidents", IncidentRoutes(daemon).list),
            Route("/api/v1/incidents/{id}", IncidentRoutes(daemon).one),
            Route("/api/v1/incidents/{id}/traces", TracedRoutes(daemon).listed),
            Route("/incidents/{id}/traces", TracedRoutes(daemon).page),
            Route("/api/v1/exemplars", EvidenceRoutes(daemon).list),
            Route("/api/v1/exemplars/{contract}", EvidenceRoutes(daemon).take, methods=["POST"]),
            Route("/api/v1/incidents/{id}/explanation", EvidenceRoutes(daemon).explanation),
            Route("/api/v1/live", Live(daemon).handle),
            Route("/api/v1/events", EventRoutes(daemon).list, methods=["GET"]),
            Route("/api/v1/events", EventRoutes(daemon).mark, methods=["POST"]),
            Route("/api/v1/openapi.json", _openapi),
            Route("/api/v1/silences", Quiet(daemon).list, methods=["GET"]),
            Route("/api/v1/silences", Quiet(daemon).silence, methods=["POST"]),
            Route("/api/v1/silences/end", Quiet(daemon).end, methods=["POST"]),
            Route("/api/v1/acks", Quiet(daemon).acks, methods=["GET"]),
            Route("/api/v1/acks", Quiet(daemon).acknowledge, methods=["POST"]),
            Route("/api/v1/push/{contract}", Pushing(daemon).post, methods=["POST"]),
            Route("/api/v1/traces", Traces(daemon).list),
            Route("/v1/metrics", Otlp(daemon).metrics, methods=["POST"]),
            Route("/v1/traces", Otlp(daemon).traces, methods=["POST"]),
            Route("/healthz", _healthz(daemon, door)),
            Mount("/static", StaticFiles(packages=[("keeptime.web", "static")])),
        ],
        middleware=[Middleware(Guard, door=door)],
        exception_handlers={HTTPException: _refused, Exception: _failed},
    )


def _metrics(daemon: Showable, door: Door) -> Handler:
    one_at_a_time = CapacityLimiter(1)

    async def metrics(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        refused = dict(door.audit.refused)
        made = await to_thread.run_sync(exposition, daemon.snapshot(), accept, refused, limiter=one_at_a_time)
        body, kind = made
        return Response(body, headers={"Content-Type": kind})

    return metrics


def _contracts(daemon: Showable) -> Handler:
    async def contracts(request: Request) -> Response:
        await daemon.look()
        return tagged(request, contracts_json(daemon.snapshot()), clock="at")

    return contracts


async def _openapi(request: Request) -> Response:
    return tagged(request, document())


def _healthz(daemon: Showable, door: Door) -> Handler:
    """Nobody is asked who they are; where tokens are asked for, it therefore says no more than yes or no."""

    async def healthz(_: Request) -> Response:
        snapshot = daemon.snapshot()
        health = snapshot.health
        whole = health_json(health) | pair_json(snapshot.pair)
        said = {"healthy": whole["healthy"]} if door.asks() else whole
        return JSONResponse(said, 503 if health.problems else 200)

    return healthz


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return JSONResponse({"error": f"nothing is served at {request.url.path}", "routes": list(ROUTES)}, 404)
    return JSONResponse({"error": str(getattr(error, "detail", "refused"))}, status)


async def _failed(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": "keeptime failed to answer this; its log says why"}, 500, HEADERS)
