"""`/incidents/{id}`, and what its forms post: an alert taken on, its operators silenced.

Guarantees: what was done is in the store before the page says so; what was refused stands at its form, with what
was typed; a form that is posted twice, as by a double click, is done once. Who may post, and from which page, is
the guard's to say. Knows the daemon by `Showable` alone.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from keeptime.app.happened import Unknown
from keeptime.app.quieting import Impossible
from keeptime.app.stacking import stood
from keeptime.app.tracing import Traces
from keeptime.app.view import Showable, Snapshot
from keeptime.errors import StoreError
from keeptime.model.incident import Dossier
from keeptime.model.key import ObjectiveKey
from keeptime.model.token import Scope
from keeptime.web.form import LASTS, UNTIL, end_of, form_fields
from keeptime.web.incidents import around, known_incident
from keeptime.web.pages.answered import drawn, framed, shown, trouble
from keeptime.web.pages.incident import facts_of
from keeptime.web.pages.incidents import HERE, NO_INCIDENT
from keeptime.web.pages.once import Once
from keeptime.web.pages.waterfall import waterfall
from keeptime.web.pages.when import when_in
from keeptime.web.pages.why import why_of
from keeptime.web.posted import Refused, author, optional_text, text

ACK_FIELDS = frozenset({"author", "note", "tz"})
SILENCE_FIELDS = frozenset({"author", "reason", "of", "for", "until", "tz"})
END_FIELDS = frozenset({"silence", "author", "reason", "tz"})
DONE = {
    "acknowledged": "You have taken this alert on.",
    "silenced": "The operators are silenced.",
    "ended": "The silence is over.",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """What was posted by the form `kind`, and why it was refused."""

    kind: str = ""
    why: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """The handlers of the four routes."""

    daemon: Showable
    once: Once = field(default_factory=Once)

    async def handle(self, request: Request) -> Response:
        return await shown(request, HERE, lambda: self._page(request, Typed()))

    async def acknowledge(self, request: Request) -> Response:
        return await self._done(request, "acknowledged", ACK_FIELDS, self._acknowledge)

    async def silence(self, request: Request) -> Response:
        return await self._done(request, "silenced", SILENCE_FIELDS, self._silence)

    async def end(self, request: Request) -> Response:
        return await self._done(request, "ended", END_FIELDS, self._end)

    async def _acknowledge(self, request: Request, found: dict[str, str], one: Dossier) -> None:
        if one.incident.ended is not None:
            raise Impossible("this incident is over, so there is nothing to acknowledge")
        said: dict[str, Any] = dict(found)
        key = one.incident.key
        await self.daemon.quieting.acknowledge(
            key.contract, key.objective, author(request, said), optional_text(said, "note")
        )

    async def _silence(self, request: Request, found: dict[str, str], one: Dossier) -> None:
        said: dict[str, Any] = dict(found)
        if found.get("of") not in ("objective", "contract"):
            raise Refused("of what is not said; expected the objective or the contract")
        key = one.incident.key
        await self.daemon.quieting.silence(
            key.contract,
            key.objective if found["of"] == "objective" else "",
            author(request, said),
            text(said, "reason"),
            None,
            end_of(found, self.daemon.snapshot().at),
        )

    async def _end(self, request: Request, found: dict[str, str], one: Dossier) -> None:
        number = next((each.id for each in one.silences if str(each.id) == found.get("silence")), None)
        if number is None:
            raise Impossible("this incident has no such silence")
        said: dict[str, Any] = dict(found)
        await self.daemon.quieting.end(number, author(request, said), optional_text(said, "reason"))

    async def _done(
        self,
        request: Request,
        kind: str,
        names: frozenset[str],
        do: Callable[[Request, dict[str, str], Dossier], Awaitable[None]],
    ) -> Response:
        """Do it and lead back to the page; or the page again, with why not."""
        found: dict[str, str] = {}
        try:
            found = await form_fields(request, names)
            one = await self._found(request)
            posted = (kind, request.scope.get("token", ""), *sorted(found.items()))
            await self.once.do(one.incident.id, posted, self.daemon.snapshot().at, lambda: do(request, found, one))
        except Unknown as error:
            return trouble(404, HERE, str(error))
        except (Refused, Impossible, StoreError) as error:
            status = 400 if isinstance(error, Refused) else 409 if isinstance(error, Impossible) else 503
            return await self._again(request, status, Typed(kind, str(error), found))
        query = when_in(found, self.daemon.snapshot().at).carried(done=kind)
        return RedirectResponse(f"{HERE}/{request.path_params['id']}{query}#did", 303)

    async def _again(self, request: Request, status: int, typed: Typed) -> Response:
        try:
            return HTMLResponse(await self._page(request, typed), status)
        except Unknown as error:
            return trouble(404, HERE, str(error))
        except (StoreError, Refused):
            return trouble(status, HERE, typed.why)

    async def _found(self, request: Request) -> Dossier:
        """Raises Unknown and StoreError."""
        return await known_incident(self.daemon, request, NO_INCIDENT)

    async def _page(self, request: Request, typed: Typed) -> str:
        found, snapshot = await self._found(request), self.daemon.snapshot()
        when = when_in(typed.fields or request.query_params, snapshot.at)
        one = found.incident
        explained = await self.daemon.explaining.explain(one.id)
        start, end = around(one, snapshot.at)
        traces = self.daemon.tracing.known(one.key.contract, start, end)
        stacks = await stood(self.daemon.explaining, one.key.contract, start, end)
        facts = facts_of(found, snapshot, when)
        return await drawn(
            "incident.html",
            framed(f"{facts.objective} {facts.word}", HERE, when, snapshot),
            it=facts,
            when=when,
            typed=typed,
            done=_done(request.query_params.get("done", ""), one.key, snapshot),
            may=Scope.SILENCE in request.scope.get("may", frozenset(Scope)),
            known_as=request.scope.get("token", ""),
            lasts=[*LASTS, UNTIL],
            cause=why_of(explained, when),
            flame=await to_thread.run_sync(stacks.flame),
            traced=len(traces.found),
            traces=await to_thread.run_sync(waterfall, traces if traces.slow else Traces()),
        )


def _done(kind: str, key: ObjectiveKey, snapshot: Snapshot) -> str:
    """What was done, where that is so: a link cannot say what is not."""
    silenced = any(each.covers(key) and each.active(snapshot.at) for each in snapshot.silences)
    so = {"acknowledged": key in snapshot.acks, "silenced": silenced, "ended": not silenced}
    return DONE[kind] if so.get(kind) else ""
