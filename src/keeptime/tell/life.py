"""The life of an alert, inactive → pending → firing → resolved, as one table.

Guarantees: every change of condition or severity is told exactly once, in order; `recovered` is told only when an
objective is `ok` again after something was told; of one that is watched no more while its alert fires, `withdrawn`.
Pure: knows nothing of clocks, receivers or the store.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from keeptime.contract.terms import Contract, Objective
from keeptime.model.alert import AlertRow, AlertState, Topic
from keeptime.model.verdict import Condition, Severity, TierState, Verdict


class Event(StrEnum):
    """What a verdict means to an alert."""

    QUIET = "ok"
    BUILDING = "ok, a tier is pending"
    ALARM = "at_risk, broken or no_data"
    SAME = "the same condition and severity as told"
    GONE = "no contract has the objective any more"


class Step(StrEnum):
    """What is done besides going to the next state."""

    NOTHING = "nothing"
    TELL = "tell the condition"
    RECOVER = "tell recovered"
    WITHDRAW = "tell withdrawn"


LIFE: dict[tuple[AlertState, Event], tuple[AlertState, Step]] = {
    (AlertState.INACTIVE, Event.QUIET): (AlertState.INACTIVE, Step.NOTHING),
    (AlertState.INACTIVE, Event.BUILDING): (AlertState.PENDING, Step.NOTHING),
    (AlertState.INACTIVE, Event.ALARM): (AlertState.FIRING, Step.TELL),
    (AlertState.INACTIVE, Event.GONE): (AlertState.INACTIVE, Step.NOTHING),
    (AlertState.PENDING, Event.QUIET): (AlertState.INACTIVE, Step.NOTHING),
    (AlertState.PENDING, Event.BUILDING): (AlertState.PENDING, Step.NOTHING),
    (AlertState.PENDING, Event.ALARM): (AlertState.FIRING, Step.TELL),
    (AlertState.PENDING, Event.GONE): (AlertState.INACTIVE, Step.NOTHING),
    (AlertState.FIRING, Event.QUIET): (AlertState.RESOLVED, Step.RECOVER),
    (AlertState.FIRING, Event.BUILDING): (AlertState.RESOLVED, Step.RECOVER),
    (AlertState.FIRING, Event.ALARM): (AlertState.FIRING, Step.TELL),
    (AlertState.FIRING, Event.SAME): (AlertState.FIRING, Step.NOTHING),
    (AlertState.FIRING, Event.GONE): (AlertState.RESOLVED, Step.WITHDRAW),
    (AlertState.RESOLVED, Event.QUIET): (AlertState.RESOLVED, Step.NOTHING),
    (AlertState.RESOLVED, Event.BUILDING): (AlertState.PENDING, Step.NOTHING),
    (AlertState.RESOLVED, Event.ALARM): (AlertState.FIRING, Step.TELL),
    (AlertState.RESOLVED, Event.GONE): (AlertState.INACTIVE, Step.NOTHING),
}
"""(state, event) → (next state, what is told). SAME exists in FIRING alone: nothing else has told anything."""

TOPIC = {
    Condition.AT_RISK: Topic.AT_RISK,
    Condition.BROKEN: Topic.BROKEN,
    Condition.NO_DATA: Topic.NO_DATA,
    Condition.OK: Topic.RECOVERED,
}


@dataclass(frozen=True, slots=True)
class Transition:
    """What must be told. `started`: Unix seconds at which the alert began, also where this one ends it.

    `heard`: what consumers had been told of this alert before.
    """

    topic: Topic
    state: AlertState
    condition: Condition
    severity: Severity | None
    previous_condition: Condition
    previous_severity: Severity | None
    started: float
    heard: frozenset[Topic]


@dataclass(frozen=True, slots=True)
class Decision:
    """The alert's row after this verdict, whether it differs from the stored one, what is told, and why."""

    row: AlertRow
    changed: bool
    transition: Transition | None
    reason: str


def step(contract: Contract, objective: Objective, verdict: Verdict, row: AlertRow | None) -> Decision:
    """One verdict's effect on an alert. `row` is the stored one; None: this objective never had one.

    Raises ValueError where the verdict or the row is of another objective.
    """
    key = contract.key(objective)
    if verdict.key != key or (row is not None and row.key != key):
        raise ValueError(f"a step of {key} was given a verdict of {verdict.key} and a row of {row and row.key}")
    old = row or AlertRow(key, AlertState.INACTIVE, Condition.OK, None, verdict.since, None)
    event = event_of(verdict, old)
    state, action = LIFE[old.state, event]
    if action is Step.NOTHING:
        return _quietly(replace(old, state=state), old, row is None, verdict)
    started = verdict.at if old.state is not AlertState.FIRING or old.started is None else old.started
    transition = _transition(verdict, old, state, started)
    return Decision(_told(verdict, transition), True, transition, verdict.reason)


def event_of(verdict: Verdict, row: AlertRow) -> Event:
    """What this verdict means to the alert of this row."""
    if verdict.condition is Condition.OK:
        pending = any(tier.state is TierState.PENDING for tier in verdict.tiers)
        return Event.BUILDING if pending else Event.QUIET
    told = row.state is AlertState.FIRING and (row.condition, row.severity) == (verdict.condition, verdict.severity)
    return Event.SAME if told else Event.ALARM


def ended(row: AlertRow, at: float) -> AlertRow:
    """The row of an objective whose terms ended: nothing is told, for nothing recovered, and later terms of the
    same name begin with no alert. `at`: Unix seconds.
    """
    return AlertRow(row.key, AlertState.INACTIVE, Condition.OK, None, at, None)


def gone(row: AlertRow, at: float) -> tuple[AlertRow, Step]:
    """The row of an objective that no contract has any more, and what is told of it. `at`: Unix seconds."""
    state, action = LIFE[row.state, Event.GONE]
    return AlertRow(row.key, state, Condition.OK, None, at, None), action


def heard_by_consumers(topic: Topic, severity: Severity | None) -> bool:
    """Is this told to consumers at all? Tickets are the operators' own."""
    return topic is not Topic.AT_RISK or severity is Severity.PAGE


def _quietly(new: AlertRow, old: AlertRow, first: bool, verdict: Verdict) -> Decision:
    if new.state is AlertState.INACTIVE:
        new = replace(new, started=None)
    elif new.state is AlertState.PENDING and old.state is not AlertState.PENDING:
        new = replace(new, started=verdict.at)
    return Decision(new, first or new != old, None, f"nothing new to tell: {verdict.reason}")


def _transition(verdict: Verdict, old: AlertRow, state: AlertState, started: float) -> Transition:
    return Transition(
        topic=TOPIC[verdict.condition],
        state=state,
        condition=verdict.condition,
        severity=verdict.severity,
        previous_condition=old.condition,
        previous_severity=old.severity,
        started=started,
        heard=old.told,
    )


def _told(verdict: Verdict, transition: Transition) -> AlertRow:
    """The row that remembers this transition; nothing of an alert that has ended counts for the next."""
    topic, heard = transition.topic, transition.heard
    if topic is Topic.RECOVERED:
        heard = frozenset()
    elif heard_by_consumers(topic, verdict.severity):
        heard = heard | {topic}
    return AlertRow(
        verdict.key,
        transition.state,
        verdict.condition,
        verdict.severity,
        verdict.since,
        transition.started,
        heard,
    )


def diagram() -> str:
    """The table as Mermaid text: the picture in docs/telling.md."""
    lines = ["stateDiagram-v2", "    [*] --> inactive"]
    for (state, event), (after, action) in LIFE.items():
        note = "" if action is Step.NOTHING else f" / {action}"
        lines.append(f"    {state} --> {after}: {event}{note}")
    return "\n".join(lines) + "\n"
