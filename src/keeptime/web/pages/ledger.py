"""`/ledger`: what can be proven, newest first, a page at a time, and the head to keep.

Guarantees: a row is shown with all of its fields and its hash, so that nothing on the page has to be believed.
Knows the daemon by `Showable` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.view import Showable
from keeptime.model.ledger import LedgerQuery, LedgerRow
from keeptime.web.ledger import query_of
from keeptime.web.pages.answered import contracts_of, drawn, framed, shown
from keeptime.web.pages.ledger_words import KINDS, sentence, whole
from keeptime.web.pages.moments import Moment, moment
from keeptime.web.pages.when import When, when_in
from keeptime.web.posted import Refused

HERE = "/ledger"
PAGE = 50
NAMES = ("kind", "contract", "since", "day", "limit")
"""What a link to another page keeps."""


@dataclass(frozen=True, slots=True)
class Row:
    seq: int
    at: Moment
    kind: str
    contract: str
    said: str
    fields: list[tuple[str, str]]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """The handler of the route."""

    daemon: Showable

    async def handle(self, request: Request) -> Response:
        return await shown(request, HERE, lambda: self._page(request))

    async def _page(self, request: Request) -> str:
        given = {name: text for name, text in request.query_params.items() if text}
        snapshot = self.daemon.snapshot()
        when = when_in(given, snapshot.at)
        asked = asked_of(given, when)
        found = list(await self.daemon.ledger(replace(asked, most=asked.most + 1)))
        more = len(found) > asked.most
        rows = found[: asked.most] if asked.after is not None else found[-asked.most :]
        older, newer = _ways(asked, rows, more=more)
        return await drawn(
            "ledger.html",
            framed("Ledger", HERE, when, snapshot, live=asked.before is None and asked.after is None),
            rows=[row(each, when) for each in reversed(rows)],
            head=await self.daemon.ledger_head(),
            kinds=KINDS,
            contracts=contracts_of(snapshot, asked.contract),
            asked=asked,
            day=given.get("day", ""),
            when=when,
            kept=given,
            newest=_link(given, when) if "after" in given or "before" in given else "",
            older=_link(given, when, before=older),
            newer=_link(given, when, after=newer),
        )


def asked_of(given: Mapping[str, str], when: When) -> LedgerQuery:
    """Which rows are wanted. Raises Refused."""
    try:
        asked = query_of(given, PAGE)
    except ValueError as error:
        raise Refused(str(error)) from None
    return asked if "day" not in given else replace(asked, since=_midnight(given["day"], when))


def _midnight(day: str, when: When) -> float:
    try:
        found = date.fromisoformat(day)
    except ValueError:
        raise Refused(f"day={day[:40]}: expected a day such as 2026-11-26") from None
    zone = UTC if when.zone == "UTC" else ZoneInfo(when.zone)
    return datetime(found.year, found.month, found.day, tzinfo=zone).timestamp()


def _ways(asked: LedgerQuery, rows: list[LedgerRow], *, more: bool) -> tuple[int | None, int | None]:
    """The row before which older ones are, and the one after which newer ones are; None where there are none."""
    if not rows:
        return None, None
    older = rows[0].seq if (more if asked.after is None else asked.after > 0) else None
    newer = rows[-1].seq if (more if asked.after is not None else asked.before is not None) else None
    return older, newer


def _link(given: Mapping[str, str], when: When, **to: int | None) -> str:
    """To the page before or after these rows; "" where there is none. Without: to the newest."""
    if None in to.values():
        return ""
    kept = {name: given.get(name, "") for name in NAMES}
    return HERE + when.carried(**kept, **{name: str(each) for name, each in to.items()})


def row(one: LedgerRow, when: When) -> Row:
    return Row(
        seq=one.seq,
        at=moment(when, one.at),
        kind=KINDS.get(one.kind, one.kind),
        contract=one.contract,
        said=sentence(one),
        fields=whole(one.fields),
        previous=one.previous,
        hash=one.hash,
    )
