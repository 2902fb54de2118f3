"""`/api/v1/incidents`: what happened, a page at a time; `/api/v1/incidents/{id}`: all that is known of one.

Guarantees: newest first, and a page follows the one before it also when something happens meanwhile; whoever has an
answer already (`If-None-Match`) is not sent it again; no URL beyond its host and no secret is shown. Knows the
daemon by `Showable` alone.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import Response

from keeptime.app.happened import Unknown
from keeptime.app.view import Showable
from keeptime.model.incident import Dossier, Incident, IncidentQuery, Step, Told
from keeptime.web.answering import listed, looked_up
from keeptime.web.describe import shown_receiver
from keeptime.web.events import event_json
from keeptime.web.kept import Json
from keeptime.web.ledger import instant_of, whole_of
from keeptime.web.posted import Refused, flag
from keeptime.web.quieting import ack_json, silence_json

PAGE = 100
LARGEST = 1000
"""Incidents of one page."""
_ID = re.compile("[a-z0-9.~_TZ-]{1,300}")
_NAME = re.compile("[!-~]{1,300}")
NO_INCIDENT = "there is no such incident; /api/v1/incidents lists those there are"
SETTLE = 60.0
"""Seconds around an incident within which a request belongs to it."""
LONGEST = 300
"""Characters of an id, and of an objective's name, at most."""


@dataclass(frozen=True, slots=True)
class IncidentRoutes:
    """The handlers of the two routes."""

    daemon: Showable

    async def list(self, request: Request) -> Response:
        return await listed(request, "incidents", lambda: self._found(request), incident_json)

    async def _found(self, request: Request) -> tuple[Sequence[Incident], int]:
        """One more than a page, where there is one."""
        asked = query_of(request.query_params)
        return await self.daemon.happened.incidents(replace(asked, most=asked.most + 1)), asked.most

    async def one(self, request: Request) -> Response:
        return await looked_up(request, lambda: self._one(request))

    async def _one(self, request: Request) -> dict[str, Json]:
        found = await known_incident(self.daemon, request)
        return {"incident": dossier_json(found, self.daemon.snapshot().at)}


async def known_incident(daemon: Showable, request: Request, otherwise: str = NO_INCIDENT) -> Dossier:
    """All of the incident whose id is in the path. Raises StoreError, and Unknown that says `otherwise`."""
    name = request.path_params["id"]
    found = await daemon.happened.incident(name) if known_id(name) else None
    if found is None:
        raise Unknown(otherwise)
    return found


def around(one: Incident, now: float) -> tuple[float, float]:
    """From when to when requests can end that belong to it (Unix seconds)."""
    return one.started - SETTLE, (now if one.ended is None else one.ended) + SETTLE


def known_id(name: str) -> bool:
    """Can it be the id of an incident?"""
    return _ID.fullmatch(name) is not None


def query_of(given: Mapping[str, str], page: int = PAGE) -> IncidentQuery:
    """What is asked for; `page`: how many, unless that is said. Raises Refused with what was expected."""
    try:
        most = whole_of(given, "limit", page)
        since = instant_of(given["since"]) if "since" in given else None
    except ValueError as error:
        raise Refused(str(error)) from None
    if not 1 <= most <= LARGEST:
        raise Refused(f"limit={most}: expected 1 to {LARGEST}")
    for name in ("contract", "objective"):
        if name in given and _NAME.fullmatch(given[name]) is None:
            raise Refused(f"{name}: expected a name, of at most {LONGEST} characters")
    if given.get("after") and not known_id(given["after"]):
        raise Refused("after: expected the id of an incident, as `next` of a page has it")
    return IncidentQuery(
        contract=given.get("contract", ""),
        objective=given.get("objective", ""),
        open=flag(given, "open") if "open" in given else None,
        since=since,
        after=given.get("after", ""),
        most=most,
    )


def incident_json(one: Incident) -> dict[str, Json]:
    """In short; instants in Unix seconds."""
    whole, bracket, _ = one.key.objective.partition("[")
    return {
        "id": one.id,
        "contract": one.key.contract,
        "objective": one.key.objective,
        "segment_of": whole if bracket else None,
        "contract_version": one.version or None,
        "started": one.started,
        "ended": one.ended,
        "how": None if one.how is None else one.how.value,
        "condition": one.condition.value,
        "severity": None if one.severity is None else one.severity.value,
        "reason": one.reason or None,
    }


def dossier_json(found: Dossier, now: float) -> dict[str, Json]:
    """All of it."""
    return {
        **incident_json(found.incident),
        "transitions": [_step_json(each) for each in found.incident.steps],
        "transitions_omitted": found.incident.omitted,
        "told": [told_json(each) for each in found.told],
        "acks": [ack_json(each) for each in found.acks],
        "silences": [silence_json(each, now) for each in found.silences],
        "events": [event_json(each) for each in found.events],
    }


def _step_json(step: Step) -> dict[str, Json]:
    figures = step.figures
    return {
        "at": step.at,
        "topic": step.topic.value,
        "condition": step.condition.value,
        "severity": None if step.severity is None else step.severity.value,
        "tiers": list(step.tiers),
        "reason": step.reason or None,
        "message_id": step.message,
        "sli": figures.sli,
        "burn_rate": figures.burn_rate,
        "budget": None
        if figures.budget_total is None
        else {"total": figures.budget_total, "left": figures.budget_left},
    }


def told_json(one: Told) -> dict[str, Json]:
    """Who was told, and what became of it."""
    return {
        "row": one.row,
        "message_id": one.message,
        "topic": one.topic.value,
        "audience": one.address.audience,
        "receiver": shown_receiver(f"{one.address.kind}:{one.address.target}"),
        "created": one.created,
        "state": state_of(one),
        "taken": one.taken,
        "answer": one.answer or None,
        "failed_attempts": one.attempts,
        "dead_since": one.dead,
        "muted_by_silence": one.muted,
        "passed_on_from": one.origin,
    }


def state_of(one: Told) -> str:
    """What became of a message on its way to a receiver."""
    if one.taken is not None:
        return "taken"
    if one.discarded is not None:
        return "discarded"
    if one.dead is not None:
        return "dead"
    if one.passed is not None:
        return "not_sent"
    return "muted" if one.muted is not None else "waiting"
