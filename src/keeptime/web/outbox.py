"""`/api/v1/outbox`: messages that were not delivered; `/api/v1/outbox/replay`: have dead letters sent again.

Guarantees: no body of a message, no URL beyond its host and no secret is shown; a replay says in exactly one way
what it wants. Who may post is the guard's to say. Knows the daemon by `Showable` alone.
"""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keeptime.app.view import Showable
from keeptime.errors import StoreError
from keeptime.model.alert import Letter
from keeptime.web.describe import shown_receiver
from keeptime.web.kept import Json
from keeptime.web.posted import Refused, body_of

EXPECTED = 'expected {"ids": [1, 2]}, {"contract": "NAME"} or {"all": true}'


@dataclass(frozen=True, slots=True)
class Outbox:
    """The handlers of the two routes."""

    daemon: Showable

    async def list(self, request: Request) -> Response:
        dead = request.query_params.get("dead", "false")
        if dead not in ("true", "false"):
            return JSONResponse({"error": f"dead={dead}: expected true or false"}, 400)
        try:
            found = await self.daemon.letters(dead=dead == "true")
        except StoreError as error:
            return JSONResponse({"error": str(error)}, 503)
        return JSONResponse({"outbox": [letter_json(each) for each in found]})

    async def replay(self, request: Request) -> Response:
        try:
            rows, contract = chosen(await body_of(request, EXPECTED))
            count = await self.daemon.replay(rows=rows, contract=contract)
        except Refused as error:
            return JSONResponse({"error": str(error)}, 400)
        except StoreError as error:
            return JSONResponse({"error": str(error)}, 503)
        return JSONResponse({"replayed": count})


def letter_json(letter: Letter) -> dict[str, Json]:
    """One undelivered message; instants in Unix seconds."""
    waits = letter.dead is None
    return {
        "id": letter.row,
        "message_id": letter.message_id,
        "contract": letter.contract,
        "objective": letter.objective,
        "audience": letter.address.audience,
        "receiver": shown_receiver(f"{letter.address.kind}:{letter.address.target}"),
        "topic": letter.topic.value,
        "created": letter.created,
        "attempts": letter.attempts,
        "next_try": letter.next_try if waits else None,
        "dead_since": letter.dead,
        "error": letter.error or None,
    }


def chosen(posted: Any) -> tuple[frozenset[int] | None, str | None]:
    """The rows and the contract that are meant (None: any). Raises Refused."""
    match posted:
        case {"ids": [*ids], **rest} if (
            not rest and ids and all(type(each) is int and 0 < each < 2**63 for each in ids)
        ):
            return frozenset(ids), None
        case {"contract": str(name), **rest} if not rest and name:
            return None, name
        case {"all": True, **rest} if not rest:
            return None, None
    raise Refused(f"what to replay is not said; {EXPECTED}")
