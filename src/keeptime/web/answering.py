"""What a handler found, or why it could not, as the answer's JSON and status.

Guarantees: what means nothing is 400, what cannot be as things stand 409, a store that fails 503, each with its
sentence; whoever has an answer already (`If-None-Match`) is not sent it again; a list comes a
page at a time. Knows no route.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keeptime.app.happened import Unknown
from keeptime.app.quieting import Impossible
from keeptime.errors import StoreError
from keeptime.web.kept import Json
from keeptime.web.posted import Refused


class Identified(Protocol):
    """What a list is of: each has an id of its own."""

    @property
    def id(self) -> str | int: ...


Entry = TypeVar("Entry", bound=Identified)


async def answered(ask: Callable[[], Awaitable[dict[str, Json]]]) -> Response:
    """What `ask` gives, with 200, or its error."""
    try:
        return JSONResponse(await ask())
    except Refused as error:
        return JSONResponse({"error": str(error)}, 400)
    except Impossible as error:
        return JSONResponse({"error": str(error)}, 409)
    except StoreError as error:
        return JSONResponse({"error": str(error)}, 503)


async def listed(
    request: Request,
    kind: str,
    ask: Callable[[], Awaitable[tuple[Sequence[Entry], int]]],
    shown: Callable[[Entry], dict[str, Json]],
) -> Response:
    """A page of what `ask` finds, or its error. `ask` gives more than a page where there is more, and how many a
    page has; `next` is then the id to go on after."""

    async def page() -> dict[str, Json]:
        found, most = await ask()
        shown_here = found[:most]
        following = shown_here[-1].id if len(found) > most else None
        return {kind: [shown(each) for each in shown_here], "next": following}

    return await looked_up(request, page)


async def looked_up(request: Request, ask: Callable[[], Awaitable[dict[str, Json]]]) -> Response:
    """What `ask` finds, with its mark, or its error."""
    try:
        return tagged(request, await ask())
    except Refused as error:
        return JSONResponse({"error": str(error)}, 400)
    except Unknown as error:
        return JSONResponse({"error": str(error)}, 404)
    except StoreError as error:
        return JSONResponse({"error": str(error)}, 503)


def tagged(request: Request, said: dict[str, Json], clock: str = "") -> Response:
    """The answer, or 304 where whoever asks has it. `clock`: the field that says when it was made, which changes
    although nothing else does; the mark is a weak one then."""
    if not clock:
        return marked(request, JSONResponse(said))
    lasting = JSONResponse({name: each for name, each in said.items() if name != clock})
    return marked(request, JSONResponse(said), bytes(lasting.body))


def marked(request: Request, answer: Response, of: bytes | None = None) -> Response:
    """The same with its `ETag`, or 304 where whoever asks has it. `of`: what the mark is made of instead, and is
    weak by it: two answers with it say the same and need not be the same bytes."""
    tag = f'"{hashlib.sha256(bytes(answer.body) if of is None else of).hexdigest()[:32]}"'
    answer.headers["ETag"] = tag if of is None else f"W/{tag}"
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if not known & {tag, "*"}:
        return answer
    kept = {name: answer.headers[name] for name in ("ETag", "Cache-Control") if name in answer.headers}
    return Response(status_code=304, headers=kept)
