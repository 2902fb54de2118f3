"""`GET /status/NAME`, its Atom feed and its badge: what a consumer's own link shows.

Guarantees: who may look was decided before; the store is looked into once in ten seconds for each consumer at most,
however often somebody asks; the link's token goes nowhere but into the page's own links, and into the line that is
there to be copied. No script: the page asks for itself again. Knows the daemon by `Showable` alone.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from anyio import CapacityLimiter, to_thread
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keeptime.app.view import Showable
from keeptime.errors import StoreError
from keeptime.web.figures import shown_instant
from keeptime.web.promised import Status, status_of
from keeptime.web.whence import Network, whence

FRESH_SECONDS = 10.0
REFRESH = 60
"""Seconds after which the page asks for itself again, unless it is paused."""

_TEMPLATES = Environment(
    loader=PackageLoader("keeptime.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGE, _FEED, _BADGE = (_TEMPLATES.get_template(f"status.{kind}") for kind in ("html", "atom", "svg"))
_KEPT = {"Cache-Control": "private, max-age=60"}


@dataclass(slots=True)
class StatusRoutes:
    """The handlers of the three routes. `seen`: what was found lately, of consumers that there are. `proxies`:
    those that are believed when they say how a client came."""

    daemon: Showable
    proxies: Collection[Network] = ()
    seen: dict[str, Status] = field(default_factory=dict)
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    one_at_a_time: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def page(self, request: Request) -> Response:
        return await self._shown(request, _PAGE, "text/html", {})

    async def feed(self, request: Request) -> Response:
        return await self._shown(request, _FEED, "application/atom+xml", _KEPT)

    async def badge(self, request: Request) -> Response:
        return await self._shown(request, _BADGE, "image/svg+xml", _KEPT)

    async def _shown(self, request: Request, template: Template, kind: str, headers: dict[str, str]) -> Response:
        name = request.path_params["name"]
        try:
            found = await self._found(name)
        except StoreError:
            return JSONResponse({"error": "the past cannot be read now; try again"}, 503)
        if found is None:
            return JSONResponse({"error": f"no contract has a consumer '{name[:63]}'"}, 404)
        token = request.query_params.get("token", "")
        paused = request.query_params.get("refresh") == "off"
        origin = f"{whence(request.scope, self.proxies).scheme}://{request.url.netloc}"
        links = _Links(origin, token, paused)
        text = await to_thread.run_sync(_rendered, template, found, links, limiter=self.one_at_a_time)
        return Response(text, media_type=kind, headers=headers)

    async def _found(self, name: str) -> Status | None:
        async with self.looking:
            seen, now = self.seen.get(name), self.daemon.snapshot().at
            if seen is None or not 0 <= now - seen.at < FRESH_SECONDS:
                seen = await status_of(name, self.daemon)
                if seen is None:
                    self.seen.pop(name, None)
                else:
                    self.seen[name] = seen
            return seen


@dataclass(frozen=True, slots=True)
class _Links:
    """What links to the same consumer's other forms are made of; `token`: "" where it came in another way."""

    origin: str
    token: str
    paused: bool

    def query(self, **others: str) -> str:
        given = {**({"token": self.token} if self.token else {}), **others}
        return f"?{urlencode(given)}" if given else ""


def _rendered(template: Template, shown: Status, links: _Links) -> str:
    return template.render(
        shown=shown,
        place=f"/status/{quote(shown.consumer)}",
        query=links.query(),
        paused=links.query(refresh="off"),
        origin=links.origin,
        refresh=None if links.paused else REFRESH,
        at=shown_instant(shown.at, shown.at),
    )
