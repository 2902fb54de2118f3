"""`GET /api/v1/periods?contract=NAME`: the periods of a contract that are over, a page at a time.

Guarantees: newest first; periods that end together are on one page, so that a promise of several is whole
there. Knows the daemon by `Showable` alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.happened import Unknown
from keeptime.app.periods import PeriodView
from keeptime.app.view import Showable, Snapshot
from keeptime.contract.terms import Contract
from keeptime.web.answering import looked_up
from keeptime.web.kept import Json, period_json
from keeptime.web.ledger import instant_of, whole_of
from keeptime.web.posted import Refused
from keeptime.web.terms import together_periods

PAGE, LARGEST = 1000, 10_000
"""Periods of one page, but for those that end with its last one."""


@dataclass(frozen=True, slots=True)
class PeriodRoutes:
    """The handler of the route."""

    daemon: Showable

    async def list(self, request: Request) -> Response:
        return await looked_up(request, lambda: self._list(request.query_params))

    async def _list(self, given: Mapping[str, str]) -> dict[str, Json]:
        contract = known_contract(given, self.daemon.snapshot())
        before, most = asked_of(given)
        found, following = page_of(await self.daemon.periods(contract.name), before, most)
        return {
            "contract": contract.name,
            "periods": [period_json(each) for each in found],
            "together": together_periods(contract, found),
            "next": following,
            "ledger": str(self.daemon.snapshot().ledger),
        }


def known_contract(given: Mapping[str, str], now: Snapshot) -> Contract:
    """The contract that is asked about. Raises Unknown."""
    name = given.get("contract", "")
    for view in now.contracts:
        if view.contract.name == name:
            return view.contract
    raise Unknown(f"no contract '{name}' is kept; name one with ?contract=NAME")


def asked_of(given: Mapping[str, str]) -> tuple[float | None, int]:
    """Before which instant, and how many at most. Raises Refused."""
    try:
        before = instant_of(given["after"], "after") if "after" in given else None
        most = whole_of(given, "limit", PAGE)
    except ValueError as error:
        raise Refused(str(error)) from None
    if not 1 <= most <= LARGEST:
        raise Refused(f"limit={most}: expected 1 to {LARGEST}")
    return before, most


def page_of(
    found: Sequence[PeriodView], before: float | None, most: int
) -> tuple[Sequence[PeriodView], float | None]:
    """Those that end before this instant, newest first, and what the next page is asked for with."""
    page: list[PeriodView] = []
    newest = sorted(found, key=lambda each: -each.end)
    for end, those in groupby(newest, key=lambda each: each.end):
        if before is not None and end >= before:
            continue
        if len(page) >= most:
            return page, page[-1].end
        page += those
    return page, None
