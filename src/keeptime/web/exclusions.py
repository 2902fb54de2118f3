"""`/api/v1/exclusions`: what was left out and why, day by day, a page at a time; and what shall be, declared.

Guarantees: newest day first, whole days; the sum over the reasons of a day is what its counts say was excluded.
Knows the daemon by `Showable` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.view import Showable
from keeptime.model.declared import Declared
from keeptime.model.exclusion import LeftOut
from keeptime.web.answering import answered, looked_up
from keeptime.web.kept import Json
from keeptime.web.ledger import instant_of, whole_of
from keeptime.web.periods import known_contract
from keeptime.web.posted import Refused, author, fields_of, optional_text, text
from keeptime.web.quieting import FARTHEST, NAME, instant_in

DECLARE = 'expected {"contract", "objective"?, "author", "reason", "from"?, "until"}, instants in Unix seconds'
END = 'expected {"id", "author", "reason"?}'
LONGEST_REASON = 200
"""Characters, as of a reason in the contract."""
PAGE, LARGEST = 100, 1000
"""Days of one page."""
DAY = 86_400


@dataclass(frozen=True, slots=True)
class ExclusionRoutes:
    """The handlers of the routes."""

    daemon: Showable

    async def list(self, request: Request) -> Response:
        return await looked_up(request, lambda: self._list(request.query_params))

    async def declare(self, request: Request) -> Response:
        return await answered(lambda: self._declare(request))

    async def end(self, request: Request) -> Response:
        return await answered(lambda: self._end(request))

    async def _declare(self, request: Request) -> dict[str, Json]:
        names = frozenset({"contract", "objective", "author", "reason", "from", "until"})
        said = await fields_of(request, names, DECLARE)
        made = await self.daemon.declaring.declare(
            text(said, "contract", NAME),
            optional_text(said, "objective", NAME),
            author(request, said),
            text(said, "reason", LONGEST_REASON),
            None if said.get("from") is None else instant_in(said, "from"),
            instant_in(said, "until"),
        )
        return {"exclusion": declared_json(made, self.daemon.snapshot().at)}

    async def _end(self, request: Request) -> dict[str, Json]:
        said = await fields_of(request, frozenset({"id", "author", "reason"}), END)
        number = said.get("id")
        if type(number) is not int or not 0 < number < 2**63:
            raise Refused(f"id: {END}, the id a number")
        who, why = author(request, said), optional_text(said, "reason")
        ended = await self.daemon.declaring.end(number, who, why)
        return {"exclusion": declared_json(ended, self.daemon.snapshot().at)}

    async def _list(self, given: Mapping[str, str]) -> dict[str, Json]:
        snapshot = self.daemon.snapshot()
        name, now = known_contract(given, snapshot).name, snapshot.at
        since, until, most = asked_of(given)
        found = await self.daemon.past.left_out(name, since, until, most + 1)
        days = list(dict.fromkeys(each.day for each in found))
        following = day_of(days[most - 1]) if len(days) > most else None
        return {
            "contract": name,
            "exclusions": [left_out_json(each) for each in found if each.day in days[:most]],
            "next": following,
            "declared": [declared_json(each, now) for each in await self.daemon.declaring.all(name)],
        }


def asked_of(given: Mapping[str, str]) -> tuple[float, float, int]:
    """The range in Unix seconds, and how many days at most. Raises Refused."""
    try:
        since, until = (instant_of(given[name], name) if name in given else None for name in ("since", "until"))
        most = whole_of(given, "limit", PAGE)
    except ValueError as error:
        raise Refused(str(error)) from None
    if not 1 <= most <= LARGEST:
        raise Refused(f"limit={most}: expected 1 to {LARGEST}")
    start, end = max(since or 0.0, 0.0), min(FARTHEST if until is None else until, FARTHEST)
    return start, max(min(end, _before(given["after"])) if "after" in given else end, 0.0), most


def left_out_json(one: LeftOut) -> dict[str, Json]:
    """`day`: in UTC."""
    why = one.exclusion
    return {
        "objective": one.objective,
        "day": day_of(one.day),
        "kind": why.kind.value,
        "reason": why.reason,
        "author": why.author or None,
        "events": one.events,
    }


def declared_json(one: Declared, now: float) -> dict[str, Json]:
    """Instants in Unix seconds."""
    return {
        "id": one.id,
        "contract": one.contract,
        "objective": one.objective or None,
        "author": one.author,
        "reason": one.reason,
        "from": one.begins,
        "until": one.until,
        "state": one.standing(now),
        "declared": one.at,
        "ended_by": one.ended_by or None,
        "ended_why": one.ended_why or None,
    }


def day_of(number: int) -> str:
    return datetime.fromtimestamp(number * DAY, UTC).date().isoformat()


def _before(day: str) -> float:
    try:
        begins = date.fromisoformat(day)
    except ValueError:
        raise Refused("after: expected a day such as 2026-10-05, the `next` of a page") from None
    return datetime(begins.year, begins.month, begins.day, tzinfo=UTC).timestamp()
