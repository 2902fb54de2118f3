"""One incident as a page: what happened and why, who was told and what they answered, what is known of the cause.

Guarantees: the sentences are the judge's, and nothing is decided; a receiver is shown as the API shows it, without
any secret. Pure: knows no daemon.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor
from urllib.parse import quote

from keeptime.app.view import Snapshot
from keeptime.model.event import Event
from keeptime.model.incident import Dossier, Figures, Incident, Step, Told
from keeptime.model.key import ObjectiveKey
from keeptime.model.silence import Silence
from keeptime.web.cards import WORDS
from keeptime.web.describe import shown_receiver
from keeptime.web.figures import shown_age, shown_count, shown_rate
from keeptime.web.happened import lasted
from keeptime.web.incidents import state_of
from keeptime.web.pages.moments import Moment, maybe, moment
from keeptime.web.pages.when import When
from keeptime.web.quieting import standing

HOUR = 3600.0
STATES = {
    "taken": "taken",
    "discarded": "discarded by hand",
    "dead": "given up",
    "not_sent": "not sent: no news any more when the silence was over",
    "muted": "held back by a silence",
    "waiting": "waits to be sent",
}


@dataclass(frozen=True, slots=True)
class StepRow:
    """`fired`: the tiers; `figures`: as they were."""

    at: Moment
    topic: str
    condition: str
    urgency: str
    reason: str
    fired: str
    figures: str


@dataclass(frozen=True, slots=True)
class ToldRow:
    """`state`: one of STATES; `said`: it in words; `answer`: what the receiver said."""

    audience: str
    receiver: str
    topic: str
    created: Moment
    state: str
    said: str
    at: Moment | None
    answer: str
    failed: int
    passed_on: bool


@dataclass(frozen=True, slots=True)
class EventRow:
    at: Moment
    kind: str
    text: str
    author: str
    link: str
    relation: str


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """`ended`: how, or what it is now; `lasts`: it can still be ended."""

    id: int
    of: str
    author: str
    reason: str
    begins: Moment
    ends: Moment
    ended: str
    lasts: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All of an incident that the page says. `headline`: its life in a sentence; `fired`: of the worst change;
    `traced`: its contract says where traces can be looked up."""

    id: str
    contract: str
    objective: str
    condition: str
    word: str
    urgency: str
    open: bool
    began: Moment
    ended: Moment | None
    headline: str
    reason: str
    fired: str
    figures: str
    version: str
    steps: tuple[StepRow, ...]
    omitted: int
    told: tuple[ToldRow, ...]
    acks: tuple[tuple[str, str, Moment], ...]
    silences: tuple[SilenceRow, ...]
    events: tuple[EventRow, ...]
    kept: bool
    traced: bool
    objective_link: str
    ledger_link: str


def facts_of(found: Dossier, snapshot: Snapshot, when: When) -> Facts:
    one = found.incident
    worst = _worst(one)
    contract = next((view.contract for view in snapshot.contracts if view.contract.name == one.key.contract), None)
    return Facts(
        id=one.id,
        contract=one.key.contract,
        objective=one.key.objective,
        condition=one.condition.value,
        word=WORDS[one.condition.value],
        urgency="" if one.severity is None else one.severity.value,
        open=one.ended is None,
        began=moment(when, one.started),
        ended=maybe(when, one.ended),
        headline=f"It {lasted(one, when.now)}.",
        reason=one.reason,
        fired="" if worst is None else _fired(worst),
        figures="" if worst is None else figures_of(worst.figures),
        version=one.version,
        steps=tuple(_step(each, when) for each in one.steps),
        omitted=one.omitted,
        told=tuple(told_row(each, when) for each in found.told),
        acks=tuple((each.author, each.note, moment(when, each.at)) for each in found.acks),
        silences=tuple(_silence(each, when) for each in found.silences),
        events=tuple(_event(each, one, when) for each in found.events),
        kept=contract is not None,
        traced=contract is not None and contract.tracing is not None,
        ledger_link=f"/ledger{when.carried(**_since(one))}",
        objective_link=objective_link(one.key, one.started, one.ended, when),
    )


def _since(one: Incident) -> dict[str, str]:
    """Of the ledger: what was written of this contract from when it began on, the first of it first."""
    return {"contract": one.key.contract, "after": "0", "since": f"{floor(one.started)}"}


def objective_link(key: ObjectiveKey, started: float, ended: float | None, when: When) -> str:
    """The objective's page over the incident's time, with some of what was before and after."""
    end = when.now if ended is None else ended
    around = max(HOUR, (end - started) / 2)
    path = f"/contracts/{quote(key.contract, safe='')}/{quote(key.objective, safe='')}"
    return path + when.moved(started - around, end + around)


def _worst(one: Incident) -> Step | None:
    """The first change to what it was at its worst; None where none is kept."""
    alike = [each for each in one.steps if (each.condition, each.severity) == (one.condition, one.severity)]
    return alike[0] if alike else None


def _fired(step: Step) -> str:
    if not step.tiers:
        return ""
    return f"{', '.join(step.tiers)} tier{'' if len(step.tiers) == 1 else 's'} fired"


def figures_of(found: Figures) -> str:
    """ "SLI 98.000%, burn rate 2.50×, budget 0 of 36 left"; rounded down, so that no missed target looks met."""
    return ", ".join(_figures(found))


def _figures(found: Figures) -> Iterator[str]:
    if found.sli is not None:
        yield f"SLI {floor(found.sli * 1e5) / 1e3:.3f}%"
    if found.burn_rate is not None:
        yield f"burn rate {shown_rate(found.burn_rate)}×"
    if found.budget_total is not None and found.budget_left is not None:
        over = f", {shown_count(-found.budget_left)} over" if found.budget_left < 0 else ""
        left = shown_count(max(0.0, found.budget_left))
        yield f"budget {left} of {shown_count(found.budget_total)} left{over}"


def _step(step: Step, when: When) -> StepRow:
    return StepRow(
        at=moment(when, step.at),
        topic=step.topic.value.replace("_", " "),
        condition=step.condition.value,
        urgency="" if step.severity is None else step.severity.value,
        reason=step.reason,
        fired=_fired(step),
        figures=figures_of(step.figures),
    )


def told_row(one: Told, when: When) -> ToldRow:
    state = state_of(one)
    at = {"taken": one.taken, "discarded": one.discarded, "dead": one.dead, "not_sent": one.passed}.get(state)
    after = f" in {shown_age(one.taken - one.created)}" if one.taken is not None else ""
    by = f" {one.muted}" if state == "muted" else ""
    return ToldRow(
        audience=one.address.audience,
        receiver=shown_receiver(f"{one.address.kind}:{one.address.target}").rstrip(":"),
        topic=one.topic.value.replace("_", " "),
        created=moment(when, one.created),
        state=state,
        said=f"{STATES[state]}{after}{by}",
        at=maybe(when, at),
        answer=one.answer,
        failed=one.attempts,
        passed_on=one.origin is not None,
    )


def _silence(one: Silence, when: When) -> SilenceRow:
    by = f"ended by {one.ended_by}" + (f": {one.ended_why}" if one.ended_why else "")
    state = standing(one, when.now)
    return SilenceRow(
        id=one.id,
        of=one.objective or "the whole contract",
        author=one.author,
        reason=one.reason,
        begins=moment(when, one.begins),
        ends=moment(when, one.ends if one.ended is None else one.ended),
        ended=by if one.ended_by else state,
        lasts=state != "over",
    )


def _event(one: Event, of: Incident, when: When) -> EventRow:
    apart = of.started - one.at
    relation = f"{shown_age(apart)} before it began" if apart >= 0 else f"{shown_age(-apart)} after it began"
    text = ", ".join(filter(None, [one.version, one.text]))
    return EventRow(moment(when, one.at), one.kind.value, text, one.author, one.link, relation)
