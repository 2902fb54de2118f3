"""What becomes of a message that a receiver has not taken in time.

Guarantees: pure; one table; the decision has its reason. The first step comes when the time is over, or at once
where the message was given up; each next one after the same time again. Whoever takes it on the way ends that. The
original goes on being tried whatever is decided here. Knows no store and no receiver.
"""

from dataclasses import dataclass
from typing import Literal

from keeptime.contract.urgency import Urgency
from keeptime.model.alert import OPERATORS, Address, Aside, Late
from keeptime.units import speak_duration

GRACE = 10.0
"""Seconds after keeptime's own start in which nothing is late: a receiver is given the time of one try."""


@dataclass(frozen=True, slots=True)
class PassOn:
    """Do it now. `to`: the next receiver, None where there is none; `tell`: the operators hear of it, too."""

    to: Address | None
    tell: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Leave:
    """Do nothing, for this reason."""

    reason: Literal[
        "a report is no alert",
        "it was taken on the way",
        "somebody has taken the alert on",
        "it is not late yet",
        "everybody was asked",
    ]


def decide(late: Late, urgency: Urgency, now: float, began: float) -> PassOn | Leave:
    """`now`, `began` (when this keeptime started): Unix seconds.

    | taken on the way | due | somebody is next | first step, not about keeptime itself, not given up | then |
    |---|---|---|---|---|
    | yes, or of the operators and acknowledged, or a report | | | | leave |
    | no | no | | | leave |
    | no | yes | yes | yes | pass on, tell the operators |
    | no | yes | no | yes | tell the operators |
    | no | yes | yes | no | pass on |
    | no | yes | no | no | leave |
    """
    if late.topic is Aside.REPORT:
        return Leave("a report is no alert")
    if late.taken_on_the_way:
        return Leave("it was taken on the way")
    if late.acknowledged and late.address.audience == OPERATORS:
        return Leave("somebody has taken the alert on")
    if now < _due(late, urgency, began):
        return Leave("it is not late yet")
    first = late.steps == 0
    following = urgency.escalate[late.steps : late.steps + 1]
    # A receiver that takes nothing must not breed messages; of a dead letter the operators are told anyway.
    tell = first and late.topic is not Aside.SERVICE and late.dead is None
    if not tell and not following:
        return Leave("everybody was asked")
    return PassOn(following[0] if following else None, tell, _reason(late, urgency, now))


def _due(late: Late, urgency: Urgency, began: float) -> float:
    if late.stepped_at is not None:
        return late.stepped_at + urgency.within
    if late.dead is not None:
        return late.dead
    return max(late.created + urgency.within, began + GRACE)


def _reason(late: Late, urgency: Urgency, now: float) -> str:
    whom = f"{late.address.audience} by {late.address.kind}"
    if late.dead is not None:
        return f"not taken for {whom}: given up after {speak_duration(max(0.0, late.dead - late.created))}"
    age, within = speak_duration(max(0.0, now - late.created)), speak_duration(urgency.within)
    why = f"; the last time: {late.error}" if late.error else ""
    return f"not taken for {whom} in {age}, and {within} was promised{why}"
