"""`/api/v1/ledger`: what can be proven, a page at a time; `/api/v1/ledger/head`: its newest row, as an anchor.

Guarantees: a row is given as it stands, with its hash, so that whoever has all of them can verify them alone. Knows
the daemon by `Showable` alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.view import Showable
from keeptime.model.ledger import LedgerHead, LedgerKind, LedgerQuery, LedgerRow
from keeptime.web.answering import looked_up
from keeptime.web.kept import Json
from keeptime.web.posted import Refused

PAGE = 100
LARGEST = 1000
"""Rows of one page."""

_NUMBER = "a whole number from 0 on"
_CONTRACT = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class LedgerRoutes:
    """The handlers of the two routes."""

    daemon: Showable

    async def list(self, request: Request) -> Response:
        return await looked_up(request, lambda: self._list(request))

    async def head(self, request: Request) -> Response:
        return await looked_up(request, self._head)

    async def _list(self, request: Request) -> dict[str, Json]:
        try:
            asked = query_of(request.query_params)
        except ValueError as error:
            raise Refused(str(error)) from None
        rows = await self.daemon.ledger(asked)
        head = await self.daemon.ledger_head()
        more = asked.after is not None and len(rows) == asked.most
        found: list[Json] = [row_json(row) for row in rows]
        return {"ledger": found, "next": rows[-1].seq if more else None, "head": head_json(head)}

    async def _head(self) -> dict[str, Json]:
        return head_json(await self.daemon.ledger_head())


def row_json(row: LedgerRow) -> dict[str, Json]:
    """A row as it is listed and exported."""
    return {
        "seq": row.seq,
        "at": row.at,
        "kind": row.kind,
        "contract": row.contract,
        "fields": cast(Json, row.fields),
        "previous": row.previous,
        "hash": row.hash,
    }


def head_json(head: LedgerHead) -> dict[str, Json]:
    """The newest row, and the anchor in one word."""
    return {"seq": head.seq, "hash": head.hash, "anchor": str(head)}


def query_of(given: Mapping[str, str], page: int = PAGE) -> LedgerQuery:
    """What is asked for; `page`: how many, unless that is said. Raises ValueError with what was expected."""
    kind = given.get("kind", "")
    if "kind" in given and kind not in set(LedgerKind):
        raise ValueError(f"kind={kind}: expected one of {', '.join(LedgerKind)}")
    if "contract" in given and _CONTRACT.fullmatch(given["contract"]) is None:
        raise ValueError("contract: expected the name of a contract")
    most = whole_of(given, "limit", page)
    if not 1 <= most <= LARGEST:
        raise ValueError(f"limit={most}: expected 1 to {LARGEST}")
    return LedgerQuery(
        after=whole_of(given, "after", -1) if "after" in given else None,
        kind=kind,
        contract=given.get("contract", ""),
        since=instant_of(given["since"]) if "since" in given else None,
        most=most,
        before=whole_of(given, "before", -1) if "before" in given else None,
    )


def whole_of(given: Mapping[str, str], name: str, default: int) -> int:
    """A number of the query. Raises ValueError."""
    text = given.get(name, "")
    if name not in given:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise ValueError(f"{name}={text}: expected {_NUMBER}")
    return int(text)


def page_of(given: Mapping[str, str], most: int) -> tuple[int, int]:
    """After which number, and how many, of which `most` are the largest page and the usual one. Raises Refused."""
    try:
        after, asked = whole_of(given, "after", 0), whole_of(given, "limit", most)
    except ValueError as error:
        raise Refused(str(error)) from None
    if not 1 <= asked <= most:
        raise Refused(f"limit={asked}: expected 1 to {most}")
    return after, asked


def instant_of(text: str, name: str = "since") -> float:
    """Of a parameter, in Unix seconds. Raises ValueError."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise ValueError(f"{name}={text}: expected Unix seconds")
    return value
