"""A notice holds what the schema says, and refuses what the schema refuses."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from keeptime.consumer.notice import is_notice, read_notice
from keeptime.errors import MessageRefused
from keeptime.model.alert import AlertState, Topic
from keeptime.model.key import ObjectiveKey, Signal
from keeptime.model.verdict import Condition, Severity

from .given import BROKEN, OK, PAGE, bodies

SCHEMA = json.loads(resources.files("keeptime.tell").joinpath("message.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
BODY, BROKEN_BODY, RECOVERED = bodies(PAGE, BROKEN, OK)
AT = datetime(2027, 1, 15, 8, tzinfo=UTC)

Path = tuple[str | int, ...]


def paths(value: object, path: Path = ()) -> Iterator[Path]:
    """Every place of a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths(inner, (*path, name))


def changed(path: Path, junk: object) -> dict[str, object]:
    body = copy.deepcopy(BODY)
    at: object = body
    for name in path[:-1]:
        at = at[name]  # type: ignore[index]
    if junk is LEFT_OUT and isinstance(at, dict):
        del at[path[-1]]
    else:
        at[path[-1]] = None if junk is LEFT_OUT else junk  # type: ignore[index]
    return body


def test_every_field_is_read() -> None:
    notice = read_notice(BODY)
    assert notice.key == ObjectiveKey("sentiment-latency", "p99")
    assert (notice.topic, notice.state) == (Topic.AT_RISK, AlertState.FIRING)
    assert (notice.condition, notice.severity) == (Condition.AT_RISK, Severity.PAGE)
    assert (notice.previous_condition, notice.previous_severity) == (Condition.OK, None)
    assert notice.at == notice.since == notice.started == AT
    assert notice.promise.text == "99% of requests under 500ms over 28d"
    assert (notice.promise.signal, notice.promise.target) == (Signal.REQUESTS, 0.99)
    assert (notice.counts.good, notice.counts.bad, notice.counts.sli) == (3558, 42, 3558 / 3600)
    assert notice.budget.left == pytest.approx(2377.2)
    assert notice.tiers[0].windows[0].good == 318
    assert notice.forecast is not None
    assert notice.forecast.ends_between == (datetime(2027, 1, 30, 8, tzinfo=UTC), None)
    assert dict(notice.links) == {"runbook": "https://wiki.example/sentiment"}
    assert (notice.sequence, notice.epoch) == (None, None)


def test_it_cannot_be_changed() -> None:
    notice = read_notice(BODY)
    with pytest.raises(AttributeError):
        notice.reason = "all is well"  # type: ignore[misc]
    with pytest.raises(TypeError):
        notice.links["runbook"] = "elsewhere"  # type: ignore[index]


def test_every_topic_and_what_is_none() -> None:
    assert read_notice(BROKEN_BODY).topic is Topic.BROKEN
    assert read_notice(RECOVERED).state is AlertState.RESOLVED
    assert [is_notice(each) for each in ("keeptime.objective.no_data", "keeptime.heartbeat", "")] == [
        True,
        False,
        False,
    ]


def test_messages_may_grow() -> None:
    assert read_notice({**BODY, "new": [1], "sequence": 7.0, "epoch": "e"}).sequence == 7


def test_an_error_names_the_place() -> None:
    for path, junk, text in (
        (("tiers", 0, "windows", 0, "bad"), "many", "the body's tiers[0].windows[0].bad: expected a number"),
        (("counts", "sli"), 2, "the body's counts.sli: expected 0 to 1"),
        (("at",), "2027-13-15T08:00:00Z", "the body's at: expected an instant such as 2027-01-15T08:00:00Z"),
        (("reason",), LEFT_OUT, "the body has no reason"),
    ):
        with pytest.raises(MessageRefused) as error:
            read_notice(changed(path, junk))
        assert str(error.value) == text


LEFT_OUT = object()
PLACES = [path for path in paths(BODY) if path]
JUNK: list[object] = [
    LEFT_OUT, None, True, "", "x", -1, 0, 0.5, 1, 2, 1e400, 10**400, [], [None], [None] * 2, {}, {"a": 1},
    {"a": "b"},
]  # fmt: skip


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: "left out" if junk is LEFT_OUT else repr(junk)[:12])
def test_junk_in_any_place_is_refused_where_the_schema_refuses_it(junk: object) -> None:
    assert [
        path for path in PLACES if _taken(changed(path, junk)) and not VALIDATOR.is_valid(changed(path, junk))
    ] == []


def _taken(body: dict[str, object]) -> bool:
    try:
        read_notice(body)
    except MessageRefused:
        return False
    return True


@given(path=st.sampled_from(PLACES), junk=st.text() | st.floats(allow_nan=False) | st.integers())
def test_what_the_schema_refuses_is_refused(path: Path, junk: object) -> None:
    body = changed(path, junk)
    assert VALIDATOR.is_valid(body) or not _taken(body)


@given(path=st.sampled_from(PLACES))
def test_what_the_schema_lets_be_left_out_may_be(path: Path) -> None:
    body = changed(path, LEFT_OUT)
    if VALIDATOR.is_valid(body):
        read_notice(body)


@given(st.dictionaries(st.sampled_from([*BODY]) | st.text(), st.none() | st.text() | st.integers() | st.just({})))
def test_whatever_the_body_nothing_is_raised_but_a_refusal(body: dict[str, object]) -> None:
    with pytest.raises(MessageRefused):
        read_notice(body)
