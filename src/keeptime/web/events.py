"""`/api/v1/events`: changes that may be the cause of something, told by whoever makes them, and listed.

Guarantees: what was answered with 200 is in the store; the same told again under its key is answered as before and
marked once. Who may post is the guard's to say. Knows the daemon by `Showable` alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.view import Showable
from keeptime.model.event import MOST_CONTRACTS, TOLD, Event, EventKind, EventQuery
from keeptime.web.answering import answered, listed
from keeptime.web.kept import Json
from keeptime.web.ledger import instant_of, whole_of
from keeptime.web.posted import Refused, author, fields_of, optional_text

EVENT = 'expected {"kind", "author", "at"?, "contracts"?, "version"?, "text"?, "link"?}'
PAGE, LARGEST = 100, 1000
"""Events of one page."""
NAME, VERSION = 63, 200
"""Characters of a contract's name, and of a version."""
FARTHEST = 1e11
"""Unix seconds in which no clock is."""
_KEY = re.compile("[!-~]{1,200}")
_LINK = re.compile("https?://[!-~]+")
_NAME = re.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class EventRoutes:
    """The handlers of the two routes."""

    daemon: Showable

    async def list(self, request: Request) -> Response:
        return await listed(request, "events", lambda: self._found(request), event_json)

    async def _found(self, request: Request) -> tuple[Sequence[Event], int]:
        """One more than a page, where there is one."""
        asked = query_of(request)
        return await self.daemon.happened.events(replace(asked, most=asked.most + 1)), asked.most

    async def mark(self, request: Request) -> Response:
        return await answered(lambda: self._mark(request))

    async def _mark(self, request: Request) -> dict[str, Json]:
        names = frozenset({"kind", "author", "at", "contracts", "version", "text", "link"})
        said = await fields_of(request, names, EVENT)
        told = Event(
            0,
            _kind(said),
            0.0,
            _contracts(said),
            author(request, said),
            optional_text(said, "version", VERSION),
            optional_text(said, "text"),
            _link(said),
            key=_key(request),
        )
        made, is_new = await self.daemon.happened.mark(told, _at(said))
        return {"event": event_json(made), "repeated": not is_new}


def query_of(request: Request) -> EventQuery:
    """What is asked for. Raises Refused with what was expected."""
    given = request.query_params
    try:
        most = whole_of(given, "limit", PAGE)
        after = whole_of(given, "after", 0) if "after" in given else None
        since, until = (instant_of(given[name], name) if name in given else None for name in ("since", "until"))
    except ValueError as error:
        raise Refused(str(error)) from None
    if not 1 <= most <= LARGEST:
        raise Refused(f"limit={most}: expected 1 to {LARGEST}")
    if "contract" in given and _NAME.fullmatch(given["contract"]) is None:
        raise Refused("contract: expected a contract's name")
    if "kind" in given and given["kind"] not in set(EventKind):
        raise Refused(f"kind: expected one of {', '.join(EventKind)}")
    kind = EventKind(given["kind"]) if "kind" in given else None
    return EventQuery(given.get("contract", ""), kind, since, until, after, most)


def event_json(one: Event) -> dict[str, Json]:
    """Instants in Unix seconds; no contracts are all of them."""
    return {
        "id": one.id,
        "kind": one.kind.value,
        "at": one.at,
        "contracts": list(one.contracts),
        "author": one.author,
        "version": one.version or None,
        "text": one.text or None,
        "link": one.link or None,
        "noted": one.noted,
    }


def _kind(said: dict[str, Any]) -> EventKind:
    given = said.get("kind")
    if given not in TOLD:
        raise Refused(f"kind: expected one of {', '.join(TOLD)}")
    return EventKind(given)


def _contracts(said: dict[str, Any]) -> tuple[str, ...]:
    given = [] if said.get("contracts") is None else said["contracts"]
    if not isinstance(given, list) or len(given) > MOST_CONTRACTS:
        raise Refused(f"contracts: expected a list of at most {MOST_CONTRACTS} names; none is every contract")
    for each in given:
        if not isinstance(each, str) or _NAME.fullmatch(each) is None:
            raise Refused("contracts: expected names of contracts")
    return tuple(dict.fromkeys(given))


def _link(said: dict[str, Any]) -> str:
    """Raises Refused: what is no URL of a page, or one with a password in it."""
    given = optional_text(said, "link")
    try:
        parts = urlsplit(given)
    except ValueError:
        parts = urlsplit("")
    plain = _LINK.fullmatch(said.get("link") or "") and parts.hostname and parts.username is None
    if given and not plain:
        raise Refused("link: expected a URL such as https://ci.example/42, without a password in it")
    return given


def _at(said: dict[str, Any]) -> float | None:
    given = said.get("at")
    if given is None:
        return None
    if type(given) not in (int, float) or not 0 < given < FARTHEST:
        raise Refused("at: expected an instant in Unix seconds")
    return float(given)


def _key(request: Request) -> str:
    given = request.headers.get("idempotency-key")
    if given is not None and _KEY.fullmatch(given) is None:
        raise Refused("Idempotency-Key: expected 1 to 200 characters of ASCII, without spaces")
    return given or ""
