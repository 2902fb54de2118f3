"""What a handler found, or why it could not, as the answer's JSON and status.

Guarantees: what means nothing is 400, what cannot be as things stand 409, a store that fails 503, each with its
sentence; whoever has an answer already (`If-None-Match`) is not sent it again. Knows no route.
"""

import hashlib
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keeptime.app.quieting import Impossible
from keeptime.errors import StoreError
from keeptime.web.kept import Json
from keeptime.web.posted import Refused


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


def tagged(request: Request, said: dict[str, Json]) -> Response:
    """The answer, or 304 where whoever asks has it."""
    answer = JSONResponse(said)
    tag = f'"{hashlib.sha256(bytes(answer.body)).hexdigest()[:32]}"'
    known = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if known & {tag, "*"}:
        return Response(status_code=304, headers={"ETag": tag})
    answer.headers["ETag"] = tag
    return answer
