"""What becomes of a message that nobody took in time: the table, line by line."""

from dataclasses import replace

import pytest

from keeptime.contract.urgency import Urgency
from keeptime.model.alert import Address, Aside, Late, Topic
from keeptime.tell.escalate import Leave, PassOn, decide

NOW = 1_800_000_000.0
HOOK, MAIL, PAGER = (Address("checkout", kind, f"env:{kind.upper()}") for kind in ("webhook", "email", "pagerduty"))
TWO = Urgency(120.0, (MAIL, PAGER))
LATE = Late(1, "m1", "kept", HOOK, Topic.BROKEN, NOW - 121, None, "it answered 500")
LONG_AGO = NOW - 86_400


@pytest.mark.parametrize(
    ("late", "urgency", "to", "tell"),
    [
        (LATE, TWO, MAIL, True),
        (LATE, Urgency(120.0), None, True),
        (replace(LATE, steps=1, stepped_at=NOW - 120), TWO, PAGER, False),
        (replace(LATE, topic=Aside.SERVICE), TWO, MAIL, False),
        (replace(LATE, created=NOW - 1, dead=NOW), TWO, MAIL, False),
        (LATE, Urgency(escalate=(MAIL,)), MAIL, True),
        (replace(LATE, acknowledged=True), TWO, MAIL, True),
    ],
    ids=[
        "late",
        "nobody is next",
        "a second step",
        "about keeptime itself",
        "given up",
        "by default two minutes",
        "a consumer's, whoever has acknowledged",
    ],
)
def test_it_goes_on(late: Late, urgency: Urgency, to: Address | None, tell: bool) -> None:
    decision = decide(late, urgency, NOW, LONG_AGO)
    assert isinstance(decision, PassOn)
    assert (decision.to, decision.tell) == (to, tell)


@pytest.mark.parametrize(
    ("late", "urgency", "began", "reason"),
    [
        (replace(LATE, created=NOW - 119), TWO, LONG_AGO, "it is not late yet"),
        (LATE, TWO, NOW - 9, "it is not late yet"),
        (replace(LATE, steps=1, stepped_at=NOW - 119), TWO, LONG_AGO, "it is not late yet"),
        (
            replace(LATE, steps=1, stepped_at=NOW - 999, taken_on_the_way=True),
            TWO,
            LONG_AGO,
            "it was taken on the way",
        ),
        (
            replace(LATE, acknowledged=True, address=replace(HOOK, audience="operators")),
            TWO,
            LONG_AGO,
            "somebody has taken the alert on",
        ),
        (replace(LATE, steps=2, stepped_at=NOW - 999), TWO, LONG_AGO, "everybody was asked"),
        (replace(LATE, steps=1, stepped_at=NOW - 999), Urgency(120.0), LONG_AGO, "everybody was asked"),
        (replace(LATE, topic=Aside.SERVICE), Urgency(120.0), LONG_AGO, "everybody was asked"),
        (replace(LATE, dead=NOW), Urgency(120.0), LONG_AGO, "everybody was asked"),
        (replace(LATE, topic=Aside.REPORT), TWO, LONG_AGO, "a report is no alert"),
    ],
    ids=[
        "young",
        "keeptime has just begun",
        "the next has time",
        "taken",
        "acknowledged",
        "the end",
        "told, and nobody is next",
        "of itself",
        "given up, and nobody is next",
        "a report",
    ],
)
def test_it_is_left(late: Late, urgency: Urgency, began: float, reason: str) -> None:
    assert decide(late, urgency, NOW, began) == Leave(reason)  # type: ignore[arg-type]


def test_the_reason_says_whom_how_late_and_why() -> None:
    decision = decide(LATE, TWO, NOW, LONG_AGO)
    assert decision.reason == (
        "not taken for checkout by webhook in 2 min 1 s, and 2 min was promised; the last time: it answered 500"
    )
    gone = decide(replace(LATE, created=NOW - 4, dead=NOW - 1), TWO, NOW, LONG_AGO)
    assert gone.reason == "not taken for checkout by webhook: given up after 3 s"
