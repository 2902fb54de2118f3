"""`GET /status/NAME`, its Atom feed and its badge: what a consumer's own link shows.

Guarantees: who may look was decided before; the store is looked into once in ten seconds for each consumer at most,
however often somebody asks; the link's token goes nowhere but into the page's own links. Knows the daemon by
`Showable` alone.
"""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlencode

from anyio import CapacityLimiter, to_thread
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keeptime.app.view import Showable
from keeptime.errors import StoreError
from keeptime.web.figures import shown_instant
from keeptime.web.promised import Status, status_of

FRESH_SECONDS = 10.0

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
    """The handlers of the three routes. `seen`: what was found lately, of consumers that there are."""

    daemon: Showable
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
        query = f"?{urlencode({'token': token})}" if token else ""
        text = await to_thread.run_sync(_rendered, template, found, query, limiter=self.one_at_a_time)
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


def _rendered(template: Template, shown: Status, query: str) -> str:
    """`query`: what a link to the same consumer's other forms ends with."""
    return template.render(shown=shown, query=query, at=shown_instant(shown.at, shown.at))
