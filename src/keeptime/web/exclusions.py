"""`GET /api/v1/exclusions?contract=NAME`: what was left out and why, day by day, a page at a time.

Guarantees: newest day first, whole days; the sum over the reasons of a day is what its counts say was excluded.
Knows the daemon by `Showable` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.view import Showable
from keeptime.model.exclusion import LeftOut
from keeptime.web.answering import looked_up
from keeptime.web.kept import Json
from keeptime.web.ledger import instant_of, whole_of
from keeptime.web.periods import known_contract
from keeptime.web.posted import Refused

PAGE, LARGEST = 100, 1000
"""Days of one page."""
DAY = 86_400
FARTHEST = 1e11
"""Unix seconds in which no clock is."""


@dataclass(frozen=True, slots=True)
class ExclusionRoutes:
    """The handler of the route."""

    daemon: Showable

    async def list(self, request: Request) -> Response:
        return await looked_up(request, lambda: self._list(request.query_params))

    async def _list(self, given: Mapping[str, str]) -> dict[str, Json]:
        name = known_contract(given, self.daemon.snapshot()).name
        since, until, most = asked_of(given)
        found = await self.daemon.past.left_out(name, since, until, most + 1)
        days = list(dict.fromkeys(each.day for each in found))
        following = day_of(days[most - 1]) if len(days) > most else None
        return {
            "contract": name,
            "exclusions": [left_out_json(each) for each in found if each.day in days[:most]],
            "next": following,
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


def day_of(number: int) -> str:
    return datetime.fromtimestamp(number * DAY, UTC).date().isoformat()


def _before(day: str) -> float:
    try:
        begins = date.fromisoformat(day)
    except ValueError:
        raise Refused("after: expected a day such as 2026-10-05, the `next` of a page") from None
    return datetime(begins.year, begins.month, begins.day, tzinfo=UTC).timestamp()
