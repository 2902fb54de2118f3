"""`/api/v1/outbox`: messages that were not delivered; `…/replay`: have dead letters sent again; `…/discard`: forget
them.

Guarantees: no body of a message, no URL beyond its host and no secret is shown; what is to be replayed or discarded
is said in exactly one way, and who discards and why. Who may post is the guard's to say. Knows the daemon by
`Showable` alone.
"""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.view import Showable
from keeptime.model.alert import Letter
from keeptime.web.answering import answered, looked_up
from keeptime.web.describe import shown_receiver
from keeptime.web.kept import Json
from keeptime.web.ledger import page_of
from keeptime.web.posted import Refused, author, body_of, fields_of, flag, text

MOST = 1000
"""Messages of one page."""

EXPECTED = 'expected {"ids": [1, 2]}, {"contract": "NAME"} or {"all": true}'

WITH_REASON = f'{EXPECTED}, with "author" and "reason" beside it'
CHOOSING = frozenset({"ids", "contract", "all"})


@dataclass(frozen=True, slots=True)
class Outbox:
    """The handlers of the three routes."""

    daemon: Showable

    async def list(self, request: Request) -> Response:
        return await looked_up(request, lambda: self._list(request))

    async def replay(self, request: Request) -> Response:
        return await answered(lambda: self._replay(request))

    async def discard(self, request: Request) -> Response:
        return await answered(lambda: self._discard(request))

    async def _list(self, request: Request) -> dict[str, Json]:
        given = request.query_params
        after, most = page_of(given, MOST)
        found = await self.daemon.letters(dead=flag(given, "dead"), after=after, most=most + 1)
        following = found[most - 1].row if len(found) > most else None
        return {"outbox": [letter_json(each) for each in found[:most]], "next": following}

    async def _replay(self, request: Request) -> dict[str, Json]:
        rows, contract = chosen(await body_of(request, EXPECTED))
        return {"replayed": await self.daemon.replay(rows=rows, contract=contract)}

    async def _discard(self, request: Request) -> dict[str, Json]:
        found = await fields_of(request, CHOOSING | {"author", "reason"}, WITH_REASON)
        rows, contract = chosen({name: each for name, each in found.items() if name in CHOOSING})
        by, why = author(request, found), text(found, "reason")
        return {"discarded": await self.daemon.discard(by, why, rows=rows, contract=contract)}


def letter_json(letter: Letter) -> dict[str, Json]:
    """One undelivered message; instants in Unix seconds."""
    waits = letter.dead is None and letter.muted is None
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
        "muted_by_silence": letter.muted,
    }


def chosen(posted: Any) -> tuple[frozenset[int] | None, str | None]:
    """The rows and the contract that are meant (None: any). Raises Refused."""
    match posted:
        case {"ids": [*ids], **rest} if not rest and ids and all(map(_is_row, ids)):
            return frozenset(map(int, ids)), None
        case {"contract": str(name), **rest} if not rest and name:
            return None, name
        case {"all": True, **rest} if not rest:
            return None, None
    raise Refused(f"what is meant is not said; {EXPECTED}")


def _is_row(given: Any) -> bool:
    """A whole number; in JSON 1.0 is one, too."""
    whole = type(given) is int or (type(given) is float and given.is_integer())
    return whole and 0 < given < 2**63
