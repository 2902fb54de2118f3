"""A page for people, or the page that says why there is none.

Guarantees: what means nothing is 400, what there is not 404, what cannot be as things stand 409, a store that fails
503, each with its sentence; whoever has a page already (`If-None-Match`) is not sent it again. Knows no route.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from keeptime.app.happened import Unknown
from keeptime.app.quieting import Impossible
from keeptime.app.view import Snapshot
from keeptime.errors import StoreError
from keeptime.web.answering import marked
from keeptime.web.figures import shown_instant
from keeptime.web.pages.frame import Frame, rendered
from keeptime.web.pages.when import When
from keeptime.web.posted import Refused


class Missing(Exception):
    """There is no such page; its text says what there is."""


TITLES = {400: "This means nothing", 404: "There is no such page", 409: "This cannot be", 503: "Not now"}


async def shown(request: Request, here: str, make: Callable[[], Awaitable[str]]) -> Response:
    """What `make` gives, or its error. `here`: the place that the page belongs to."""
    try:
        return tagged(request, await make())
    except Refused as error:
        return trouble(400, here, str(error))
    except (Missing, Unknown) as error:
        return trouble(404, here, str(error))
    except Impossible as error:
        return trouble(409, here, str(error))
    except StoreError as error:
        return trouble(503, here, str(error))


async def drawn(template: str, frame: Frame, **values: Any) -> str:
    """The page as HTML, drawn in a thread: many rows take some milliseconds, in which the daemon goes on."""
    return await to_thread.run_sync(partial(rendered, template, frame, **values))


def trouble(status: int, here: str, why: str) -> Response:
    """The page that says why."""
    frame = Frame(TITLES.get(status, "This is not let in"), here, "", live=False, version="")
    return HTMLResponse(rendered("trouble.html", frame, why=why), status)


def tagged(request: Request, html: str) -> Response:
    """The page, or 304 where whoever asks has it."""
    return marked(request, HTMLResponse(html, headers={"Cache-Control": "private, no-cache"}))


def framed(title: str, here: str, when: When, snapshot: Snapshot, *, live: bool = True) -> Frame:
    """The frame of a page as of the newest tick that was judged."""
    judged = snapshot.health.last_tick_at
    at = "" if judged is None else f"judged until {shown_instant(judged, snapshot.at)}"
    return Frame(title, here, at, live, carried=when.carried())


def contracts_of(snapshot: Snapshot, chosen: str) -> list[str]:
    """The names that can be chosen from: of those that are kept, and the one that is chosen."""
    names = dict.fromkeys([*(each.contract.name for each in snapshot.contracts), chosen])
    return [name for name in names if name]
