"""`/api/v1/live`: tells whoever looks that there is something new (server-sent events, WHATWG HTML).

Guarantees: an event says that a tick was judged, and nothing of what: the page asks for itself again. So many
streams at a time; each ends at once when the server stops, and when its reader takes nothing for long (the server
sees to that). Costs one comparison in half a second for each reader. Knows the daemon by `Showable` alone.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from keeptime.app.view import Showable

MOST = 40
"""Streams at a time, of all readers: fewer than connections from which on requests are refused."""
EVERY, BEAT = 0.5, 15.0
"""Seconds between two looks, and between two signs of life where nothing happens."""
AGAIN_MS = 3000
"""After which a browser that lost the stream asks again."""


@dataclass(slots=True)
class Live:
    """The handler of the route."""

    daemon: Showable
    open: int = 0
    never: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: Request) -> Response:
        if self.open >= MOST:
            message = f"{MOST} pages are told already; this one can be loaded again by hand"
            return JSONResponse({"error": message}, 503, {"Retry-After": "10"})
        stopping = request.scope.get("state", {}).get("stopping", self.never)
        return StreamingResponse(
            self._told(stopping), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )

    async def _told(self, stopping: asyncio.Event) -> AsyncIterator[str]:
        self.open += 1
        try:
            told, quiet = self.daemon.judged, 0.0
            yield f"retry: {AGAIN_MS}\n\n"
            while not stopping.is_set():
                now = self.daemon.judged
                if now != told:
                    told, quiet = now, 0.0
                    yield f"event: tick\ndata: {json.dumps({'judged': now})}\n\n"
                elif quiet >= BEAT:
                    quiet = 0.0
                    yield ":\n\n"
                quiet += EVERY
                await _either(stopping, EVERY)
        finally:
            self.open -= 1


async def _either(stopping: asyncio.Event, seconds: float) -> None:
    """Until it is set, or so long."""
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
