"""`/incidents`: what happened, newest first, a page at a time.

Guarantees: the sentences are the judge's; a page follows the one before it also when something happens meanwhile.
Knows the daemon by `Showable` alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.view import Showable
from keeptime.model.incident import Incident
from keeptime.web.cards import WORDS
from keeptime.web.happened import lasted
from keeptime.web.incidents import query_of
from keeptime.web.pages.answered import contracts_of, drawn, framed, shown
from keeptime.web.pages.moments import Moment, moment
from keeptime.web.pages.when import When, when_in

HERE = "/incidents"
NO_INCIDENT = "There is no such incident."
PAGE = 50
STANDS = (("", "all"), ("true", "that last"), ("false", "that are over"))


@dataclass(frozen=True, slots=True)
class Row:
    """`urgency`: "page", "ticket" or ""."""

    id: str
    condition: str
    urgency: str
    contract: str
    objective: str
    began: Moment
    lasted: str
    reason: str


@dataclass(frozen=True, slots=True)
class IncidentsPage:
    """The handler of the route."""

    daemon: Showable

    async def handle(self, request: Request) -> Response:
        return await shown(request, HERE, lambda: self._page(request))

    async def _page(self, request: Request) -> str:
        given = {name: text for name, text in request.query_params.items() if text}
        asked, snapshot = query_of(given, PAGE), self.daemon.snapshot()
        when = when_in(given, snapshot.at)
        found = await self.daemon.happened.incidents(replace(asked, most=asked.most + 1))
        rows, more = found[: asked.most], len(found) > asked.most
        return await drawn(
            "incidents.html",
            framed("Incidents", HERE, when, snapshot, live=not asked.after),
            rows=[row(each, when) for each in rows],
            words=WORDS,
            contracts=contracts_of(snapshot, asked.contract),
            stands=STANDS,
            asked=asked,
            stand=given.get("open", ""),
            when=when,
            kept=given,
            older=_link(given, when, after=rows[-1].id) if more else "",
            newest=_link(given, when, after="") if asked.after else "",
        )


def row(one: Incident, when: When) -> Row:
    return Row(
        id=one.id,
        condition=one.condition.value,
        urgency="" if one.severity is None else one.severity.value,
        contract=one.key.contract,
        objective=one.key.objective,
        began=moment(when, one.started),
        lasted=lasted(one, when.now),
        reason=one.reason,
    )


def _link(given: Mapping[str, str], when: When, after: str) -> str:
    kept = {name: given.get(name, "") for name in ("contract", "objective", "open", "since", "limit")}
    return HERE + when.carried(**kept, after=after)
