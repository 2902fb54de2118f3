"""The one port of a standby: that it stands by, who leads and since when; and which of the two apps answers now.

Guarantees: guarded as the leader's port is; all else is 503 with the leader's address, so nobody takes an empty
answer for a good one.
"""

from collections.abc import Callable

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from keeptime import __version__
from keeptime.app.view import PairView, Snapshot
from keeptime.web.describe import health_json, pair_json
from keeptime.web.door import Door
from keeptime.web.figures import shown_age, shown_instant
from keeptime.web.guard import Guard
from keeptime.web.metrics import exposition

_PAGE = Environment(
    loader=PackageLoader("keeptime.web"), autoescape=True, trim_blocks=True, undefined=StrictUndefined
).get_template("standby.html")
_NONE = PairView(False, False, "", "", 0.0, 0)

Show = Callable[[], Snapshot]


class Switch:
    """Answers with the app that `app` is now: the standby's, or the leader's."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def build(show: Show, door: Door) -> Starlette:
    """The standby's app. `show`: what it shows of itself and of the pair."""

    async def first_page(_: Request) -> Response:
        return HTMLResponse(render(show()))

    async def metrics(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        body, kind = exposition(show(), accept, dict(door.audit.refused))
        return Response(body, headers={"Content-Type": kind})

    async def healthz(_: Request) -> Response:
        snapshot = show()
        whole = health_json(snapshot.health) | pair_json(snapshot.pair)
        said = {"healthy": whole["healthy"]} if door.asks() else whole
        return JSONResponse(said, 503 if snapshot.health.problems else 200)

    async def elsewhere(_: Request, __: Exception) -> Response:
        url = (show().pair or _NONE).url
        there = f"ask the leader at {url}" if url else "nobody leads now; it will within seconds"
        return JSONResponse({"error": f"this keeptime stands by; {there}", "leader": url or None}, 503)

    return Starlette(
        routes=[
            Route("/", first_page),
            Route("/metrics", metrics),
            Route("/healthz", healthz),
            Mount("/static", StaticFiles(packages=[("keeptime.web", "static")])),
        ],
        middleware=[Middleware(Guard, door=door)],
        exception_handlers={HTTPException: elsewhere},
    )


def render(snapshot: Snapshot) -> str:
    """The standby's page as HTML."""
    pair = snapshot.pair or _NONE
    return _PAGE.render(
        leader=pair.holder,
        url=pair.url,
        since=shown_age(max(0.0, snapshot.at - pair.since)),
        at=shown_instant(snapshot.at, snapshot.at),
        problems=snapshot.health.problems,
        uptime=shown_age(snapshot.health.now - snapshot.health.started),
        version=__version__,
    )
