"""What becomes of a page that the operators took and nobody has acknowledged in time.

Guarantees: pure; one table; the decision has its reason. It goes on to one after the other until somebody takes the
alert on (`keeptime ack`), or it is over; a receiver's 2xx is no answer of a person. Knows no store and no receiver.
"""

from keeptime.contract.urgency import Urgency
from keeptime.model.alert import Late
from keeptime.tell.escalate import Leave, PassOn
from keeptime.units import speak_duration


def decide(page: Late, urgency: Urgency, now: float) -> PassOn | Leave:
    """`page`: the first one of an alert that is open, taken by somebody. `now`: Unix seconds.

    | acknowledged | `ack_within` is asked for, and over | somebody is next | then |
    |---|---|---|---|
    | yes | | | leave |
    | no | no | | leave |
    | no | yes | yes | pass on |
    | no | yes | no | leave |
    """
    if page.acknowledged:
        return Leave("somebody has taken the alert on")
    within = urgency.ack_within
    if within is None or now < (page.created if page.stepped_at is None else page.stepped_at) + within:
        return Leave("it is not late yet")
    following = urgency.escalate[page.steps : page.steps + 1]
    if not following:
        return Leave("everybody was asked")
    age = speak_duration(max(0.0, now - page.created))
    return PassOn(following[0], False, f"not acknowledged in {age}, where {speak_duration(within)} was asked for")
