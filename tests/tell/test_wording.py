"""The words of every kind of message."""

import json

import pytest

from keeptime.tell.service import service
from keeptime.tell.wording import worded
from tests.tell.given import BROKEN, NO_DATA, OK, PAGE, TICKET, Case, contract, tell_of

CASES: tuple[Case, ...] = (PAGE, BROKEN, NO_DATA, TICKET, OK)


def lines(*cases: Case) -> dict[str, str]:
    """What the last message of this story says."""
    return dict(worded(tell_of(contract(), cases)[-1].body).lines)


@pytest.mark.parametrize(
    ("cases", "title", "happened"),
    [
        ((PAGE,), "is at risk (page)", "At this pace the promise will be missed."),
        ((BROKEN,), "is broken (page)", "The promise is broken."),
        ((NO_DATA,), "has no data", "Data stopped coming: nobody knows whether the promise holds."),
        ((BROKEN, OK), "holds again", "The promise holds again."),
    ],
)
def test_titles(cases: tuple[Case, ...], title: str, happened: str) -> None:
    words = worded(tell_of(contract(), cases)[-1].body)
    assert words.title == f"sentiment-latency/p99 {title}"
    assert dict(words.lines)["What happened"] == happened


def test_an_end_says_what_ended_and_how_long_it_lasted() -> None:
    assert lines(PAGE, BROKEN, OK)["Since"] == (
        "2027-01-15 08:00:20 UTC; before that it was broken; the alert began 20 s earlier"
    )


def test_one_alert_is_one_incident_and_the_next_is_another() -> None:
    messages = tell_of(contract(), [*CASES, PAGE])
    incidents = [worded(message.body).incident for message in messages]
    assert len(set(incidents[:5])) == 1
    assert incidents[5] != incidents[0]


@pytest.mark.parametrize(
    ("budget", "pace", "sentence"),
    [
        ({"total": 100.0, "spent": 40, "left": 60.0}, None, "60 of the 100 that may be bad are left (60%)"),
        (
            {"total": 100.0, "spent": 40, "left": 60.0},
            7200,
            "60 of the 100 that may be bad are left (60%); at this pace gone in 2 h",
        ),
        ({"total": 100.0, "spent": 140, "left": -40.0}, None, "gone: 140 were bad where 100 may be"),
        ({"total": 0, "spent": 0, "left": 0}, None, None),
    ],
)
def test_what_is_left_of_the_budget(budget: dict[str, float], pace: float | None, sentence: str | None) -> None:
    body = json.loads(tell_of(contract(), [PAGE])[0].body)
    words = worded(json.dumps(body | {"budget": budget, "exhausted_in_seconds": pace}).encode())
    assert dict(words.lines).get("Budget") == sentence


def test_without_data_no_share_is_said() -> None:
    body = json.loads(tell_of(contract(), [NO_DATA])[0].body)
    counts = {"good": 0, "bad": 0, "skipped": 9, "excluded": 0, "sli": None}
    words = worded(json.dumps(body | {"counts": counts}).encode())
    assert dict(words.lines)["How bad"] == "not known: nothing was counted in the window"


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        (None, None),
        ({"count": 0, "ids": []}, None),
        ({"count": 1, "ids": ["a"]}, "1 message before this one could not be delivered here: a"),
        (
            {"count": 12, "ids": ["a", "b"]},
            "12 messages before this one could not be delivered here: a, b and 10 more",
        ),
    ],
)
def test_what_was_given_up_before_is_named(missing: object, sentence: str | None) -> None:
    for message in (tell_of(contract(), [PAGE])[0], service(contract(), "clock", "It is off.", 0.0)):
        body = json.loads(message.body) | {"missing": missing}
        assert dict(worded(json.dumps(body).encode()).lines).get("Missing") == sentence
