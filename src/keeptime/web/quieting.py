"""`/api/v1/silences` and `/api/v1/acks`: messages to the operators muted for a while, alerts taken on.

Guarantees: every change names its author; what was answered with 200 is in the store. Who may post is the guard's
to say. Knows the daemon by `Showable` alone.
"""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.view import Showable
from keeptime.model.ack import Ack
from keeptime.model.silence import Silence
from keeptime.web.answering import answered, looked_up, tagged
from keeptime.web.kept import Json
from keeptime.web.ledger import page_of
from keeptime.web.posted import Refused, author, fields_of, flag, optional_text, text

SILENCE = 'expected {"contract", "objective"?, "author", "reason", "begins"?, "ends"}, instants in Unix seconds'
END = 'expected {"id", "author", "reason"?}'
ACK = 'expected {"contract", "objective"?, "author", "note"?}'
MOST = 1000
"""Silences of one page."""
NAME = 63
"""Characters of a contract's or an objective's name."""
FARTHEST = 1e11
"""Unix seconds in which no clock is."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """The handlers of the routes."""

    daemon: Showable

    async def list(self, request: Request) -> Response:
        return await looked_up(request, lambda: self._list(request))

    async def silence(self, request: Request) -> Response:
        return await answered(lambda: self._silence(request))

    async def end(self, request: Request) -> Response:
        return await answered(lambda: self._end(request))

    async def acks(self, request: Request) -> Response:
        acks = self.daemon.snapshot().acks
        return tagged(request, {"acks": [ack_json(each) | _objective_of(each) for each in acks.values()]})

    async def acknowledge(self, request: Request) -> Response:
        return await answered(lambda: self._acknowledge(request))

    async def _list(self, request: Request) -> dict[str, Json]:
        given, now = request.query_params, self.daemon.snapshot().at
        after, most = page_of(given, MOST)
        if not flag(given, "all"):
            lasting = await self.daemon.quieting.all(over=False)
            return {"silences": [silence_json(each, now) for each in lasting], "next": None}
        found = await self.daemon.quieting.all(over=True, before=after, most=most + 1)
        following = found[most - 1].id if len(found) > most else None
        return {"silences": [silence_json(each, now) for each in found[:most]], "next": following}

    async def _silence(self, request: Request) -> dict[str, Json]:
        names = frozenset({"contract", "objective", "author", "reason", "begins", "ends"})
        said = await fields_of(request, names, SILENCE)
        made = await self.daemon.quieting.silence(
            text(said, "contract", NAME),
            optional_text(said, "objective", NAME),
            author(request, said),
            text(said, "reason"),
            None if said.get("begins") is None else instant_in(said, "begins"),
            instant_in(said, "ends"),
        )
        return {"silence": silence_json(made, self.daemon.snapshot().at)}

    async def _end(self, request: Request) -> dict[str, Json]:
        said = await fields_of(request, frozenset({"id", "author", "reason"}), END)
        number = said.get("id")
        if type(number) is not int or not 0 < number < 2**63:
            raise Refused(f"id: {END}, the id a number")
        ended, sent = await self.daemon.quieting.end(number, author(request, said), optional_text(said, "reason"))
        return {"silence": silence_json(ended, self.daemon.snapshot().at), "sent": sent}

    async def _acknowledge(self, request: Request) -> dict[str, Json]:
        said = await fields_of(request, frozenset({"contract", "objective", "author", "note"}), ACK)
        done = await self.daemon.quieting.acknowledge(
            text(said, "contract", NAME),
            optional_text(said, "objective", NAME),
            author(request, said),
            optional_text(said, "note"),
        )
        return {"acks": [ack_json(each) | _objective_of(each) for each in done]}


def silence_json(one: Silence, now: float) -> dict[str, Json]:
    """Instants in Unix seconds. `state`: `to come`, `active` or `over` at this one."""
    return {
        "id": one.id,
        "contract": one.contract,
        "objective": one.objective or None,
        "author": one.author,
        "reason": one.reason,
        "begins": one.begins,
        "ends": one.ends,
        "state": standing(one, now),
        "ended": one.ended,
        "ended_by": one.ended_by or None,
        "ended_why": one.ended_why or None,
    }


def standing(one: Silence, now: float) -> str:
    """`to come`, `active` or `over` at this instant."""
    over = one.ended is not None or now >= one.ends
    return "over" if over else "active" if one.active(now) else "to come"


def ack_json(one: Ack) -> dict[str, Json]:
    """Who took an alert on, and when (Unix seconds)."""
    return {"author": one.author, "note": one.note or None, "at": one.at}


def _objective_of(one: Ack) -> dict[str, Json]:
    return {"contract": one.key.contract, "objective": one.key.objective, "started": one.started}


def instant_in(said: dict[str, Any], name: str) -> float:
    """An instant that was posted. Raises Refused."""
    given = said.get(name)
    if type(given) not in (int, float) or not 0 < given < FARTHEST:  # type: ignore[operator]
        raise Refused(f"{name}: expected an instant in Unix seconds")
    return float(given)  # type: ignore[arg-type]
