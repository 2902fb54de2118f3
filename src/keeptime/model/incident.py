"""An incident: one life of an objective's alert, from when it began to fire until it was over, or now.

Guarantees: of one objective no two incidents overlap, whatever comes in which order; an id is the same for the same
objective and start, is no other's, and stands in a URL as it is. Pure: knows no store and no clock; instants are
Unix seconds.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from keeptime.model.ack import Ack
from keeptime.model.alert import ENDINGS, Address, AlertRow, AlertState, Aside, Message, Topic
from keeptime.model.event import Event
from keeptime.model.key import ObjectiveKey
from keeptime.model.silence import Silence
from keeptime.model.verdict import Condition, Severity, TierState

MOST = 100
"""Transitions that are kept of one incident: the first ones, and the newest."""
FIRST = 20
SAME = 0.001
"""Seconds within which two writings of one instant lie."""
_SAFE = re.compile(r"[a-z0-9.-]+")
_UNSAFE = re.compile(r"[^a-z0-9.-]+")
_WORST = (Condition.NO_DATA, Condition.AT_RISK, Condition.BROKEN)
_MOST_URGENT = (None, Severity.TICKET, Severity.PAGE)


class How(StrEnum):
    """How an incident ended. `terms_ended`: the dates of its terms were over, so nobody was told of an end."""

    RECOVERED = "recovered"
    WITHDRAWN = "withdrawn"
    TERMS_ENDED = "terms_ended"


@dataclass(frozen=True, slots=True)
class Figures:
    """What the judge's figures were; None where there was none."""

    sli: float | None = None
    burn_rate: float | None = None
    budget_total: float | None = None
    budget_left: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One change of an incident, as it was told. `tiers`: those that fired; `message`: its id."""

    at: float
    topic: Topic
    condition: Condition
    severity: Severity | None
    tiers: tuple[str, ...]
    reason: str
    message: str
    figures: Figures = field(default_factory=Figures)


@dataclass(frozen=True, slots=True)
class Incident:
    """`ended`, `how`: None while it lasts. `condition`, `severity`: the worst that it was; `reason`: the sentence
    of when it became so. `version`: of the contract, when it began ("" where nobody knows). `steps`: its changes,
    oldest first; of very many the first and the newest, and how many there were between (`omitted`).
    """

    key: ObjectiveKey
    started: float
    condition: Condition
    severity: Severity | None
    reason: str = ""
    version: str = ""
    ended: float | None = None
    how: How | None = None
    steps: tuple[Step, ...] = ()
    omitted: int = 0

    @property
    def id(self) -> str:
        return incident_id(self.key, self.started)


@dataclass(frozen=True, slots=True)
class Told:
    """One message of an incident to one receiver. `row`: of the outbox; `attempts`: those that failed; `answer`:
    what the receiver said when it took it (at `taken`), or else what the last attempt met. `dead`, `discarded`:
    when it was given up, and when somebody said that it need not be sent. `muted`: the silence that holds or held
    it back; `passed`: since when it stays unsent for good. `origin`: the row that was passed on to this receiver.
    """

    row: int
    message: str
    topic: Topic | Aside
    address: Address
    created: float
    attempts: int
    taken: float | None
    answer: str
    dead: float | None = None
    discarded: float | None = None
    muted: int | None = None
    passed: float | None = None
    origin: int | None = None


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that is known of one incident. `silences`: those of its time; the newest first. `events`: changes from an
    hour before it began until it was over, oldest first.
    """

    incident: Incident
    told: tuple[Told, ...] = ()
    acks: tuple[Ack, ...] = ()
    silences: tuple[Silence, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentQuery:
    """Which incidents are wanted, newest first, at most so many. `contract`, `objective`: "" of any; `open`: None
    of both kinds; `since`: those that were not over before; `after`: those that are older than the one of this id.
    """

    contract: str = ""
    objective: str = ""
    open: bool | None = None
    since: float | None = None
    after: str = ""
    most: int = 100


def incident_id(key: ObjectiveKey, started: float) -> str:
    """ "sentiment-latency.p99-500ms.20261126T051200Z". A segment's name has characters that no URL has: a few of
    its hash tell it from others that look alike without them.
    """
    name = key.objective
    if _SAFE.fullmatch(name) is None:
        plain = _UNSAFE.sub("-", name.lower()).strip("-.")[:80]
        name = f"{plain}~{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:10]}"
    began = datetime.fromtimestamp(started, UTC)
    split = f"_{began.microsecond:06}" if began.microsecond else ""
    return f"{key.contract}.{name}.{began:%Y%m%dT%H%M%S}{split}Z"


def follow(newest: Incident | None, row: AlertRow, message: Message | None = None) -> tuple[Incident, ...]:
    """What becomes of an objective's incidents when its alert is as in this row, and `message` is told of it.

    `newest`: the last one, over or not. Returns those that changed or are new, in their order.
    """
    said = {} if message is None else _said(message.body)
    if row.state is not AlertState.FIRING:
        return _over(newest, row, message, said)
    started = row.since if row.started is None else row.started
    if newest is None or _later(newest, started):
        before = () if newest is None else _cut(newest, started)
        begun = Incident(row.key, started, row.condition, row.severity, version=_text(said, "contract_version"))
        return (*before, _grown(begun, row, message, said))
    again = replace(newest, ended=None, how=None)
    changed = _grown(again, row, message, said)
    return () if changed == newest else (changed,)


def row_told(key: ObjectiveKey, topic: Topic, body: bytes) -> AlertRow | None:
    """The alert's row as a message tells of it; None where it does not say enough, as of an older keeptime."""
    said = _said(body)
    started, at = _instant(said, "started"), _instant(said, "at")
    if started is None or at is None:
        return None
    if topic in ENDINGS:
        return AlertRow(key, AlertState.RESOLVED, Condition.OK, None, at, started)
    try:
        condition, severity = Condition(_text(said, "condition")), said.get("severity")
        return AlertRow(key, AlertState.FIRING, condition, severity and Severity(severity), at, started)
    except ValueError:
        return None


def _later(newest: Incident, started: float) -> bool:
    """Does one that starts then come after the newest? One that is over begins anew where it does not."""
    return started - newest.started > SAME


def _cut(newest: Incident, started: float) -> tuple[Incident, ...]:
    """The newest is over by then: a reload withdraws at its own instant, which can lie in a tick that is judged
    after it. Of one that was open nobody was told how it ended.
    """
    if newest.ended is not None and newest.ended <= started:
        return ()
    return (replace(newest, ended=started, how=newest.how or How.WITHDRAWN),)


def _over(
    newest: Incident | None, row: AlertRow, message: Message | None, said: Mapping[str, Any]
) -> tuple[Incident, ...]:
    if newest is None or newest.ended is not None:
        return ()
    at = _instant(said, "at") or row.since
    how = How.WITHDRAWN if row.state is AlertState.RESOLVED else How.TERMS_ENDED
    if message is not None and message.topic is Topic.RECOVERED:
        how = How.RECOVERED
    over = replace(newest, ended=max(at, newest.started), how=how)
    return (over if message is None else _with(over, _step(row, message, said)),)


def _grown(one: Incident, row: AlertRow, message: Message | None, said: Mapping[str, Any]) -> Incident:
    """It is in this condition now."""
    worse = _rank(row.condition, row.severity) > _rank(one.condition, one.severity)
    if worse or not one.steps:
        one = replace(one, reason=_text(said, "reason"))
    one = replace(
        one,
        condition=max(one.condition, row.condition, key=_WORST.index),
        severity=max(one.severity, row.severity, key=_MOST_URGENT.index),
    )
    return one if message is None else _with(one, _step(row, message, said))


def _rank(condition: Condition, severity: Severity | None) -> tuple[int, int]:
    return _WORST.index(condition), _MOST_URGENT.index(severity)


def _with(one: Incident, step: Step) -> Incident:
    """One change more; of too many the oldest beyond the first ones goes."""
    steps = (*one.steps, step)
    if len(steps) <= MOST:
        return replace(one, steps=steps)
    return replace(one, steps=steps[:FIRST] + steps[FIRST + 1 :], omitted=one.omitted + 1)


def _step(row: AlertRow, message: Message, said: Mapping[str, Any]) -> Step:
    topic = Topic(message.topic.value)
    tiers = said.get("tiers") or ()
    return Step(
        _instant(said, "at") or row.since,
        topic,
        row.condition,
        row.severity,
        tuple(each["name"] for each in tiers if each["state"] == TierState.FIRING and topic not in ENDINGS),
        _text(said, "reason"),
        message.id,
        _figures(said),
    )


def _figures(said: Mapping[str, Any]) -> Figures:
    counts, budget = said.get("counts") or {}, said.get("budget") or {}
    return Figures(counts.get("sli"), said.get("burn_rate"), budget.get("total"), budget.get("left"))


def _said(body: bytes) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(body)
    return found


def _text(said: Mapping[str, Any], name: str) -> str:
    return str(said.get(name) or "")


def _instant(said: Mapping[str, Any], name: str) -> float | None:
    given = said.get(name)
    return datetime.fromisoformat(given).timestamp() if given else None
