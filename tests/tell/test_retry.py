"""When a message is tried again, and when it is given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.errors import DeliveryError
from keeptime.tell.retry import JITTER, LEAST_TRIES, LONGEST_WAIT, PATIENCE, Again, GivenUp, decide

ids = st.uuids().map(str)
REFUSED = DeliveryError("it answered 500")
HOUR = 3600.0


def wait(attempts: int, age: float, error: DeliveryError = REFUSED, name: str = "m1") -> float:
    """Seconds until the next try."""
    decision = decide(attempts, 0.0, age, error, name)
    assert isinstance(decision, Again)
    return decision.at - age


@pytest.mark.parametrize(
    ("attempts", "age", "base"),
    [
        (1, 0.0, 1),
        (2, 1.0, 5),
        (3, 6.0, 15),
        (4, 21.0, 30),
        (5, 51.0, 60),
        (60, 3599.0, 60),
        (61, 3600.0, 300),
        (900, 70 * HOUR, 300),
        (1, 70 * HOUR, 1),  # it waited behind another: its own tries begin at once
        (5, 70 * HOUR, 300),
        (19, 100 * HOUR, 60),  # keeptime was off for days, or the wall clock jumped
        (500, -HOUR, 60),  # the wall clock was set back
    ],
)
def test_the_table(attempts: int, age: float, base: float) -> None:
    assert base <= wait(attempts, age) <= base * (1 + JITTER)


@pytest.mark.parametrize(
    ("attempts", "age", "given_up"),
    [
        (LEAST_TRIES, PATIENCE - 0.001, False),
        (LEAST_TRIES, PATIENCE, True),
        (LEAST_TRIES - 1, PATIENCE, False),
        (LEAST_TRIES - 1, 365 * 24 * HOUR, False),
    ],
)
def test_it_is_given_up_after_72_hours_and_never_hardly_tried(attempts: int, age: float, given_up: bool) -> None:
    assert isinstance(decide(attempts, 0.0, age, REFUSED, "m1"), GivenUp) is given_up


def test_the_reason_says_how_long_how_often_and_what_last() -> None:
    decision = decide(917, 0.0, PATIENCE, REFUSED, "m1")
    assert decision == GivenUp("not taken in 72 h and 917 tries; the last time: it answered 500")


def test_the_last_try_is_at_the_end_of_the_72_hours() -> None:
    assert decide(900, 0.0, PATIENCE - 10, REFUSED, "m1") == Again(PATIENCE)


@given(st.integers(1, 1000), st.floats(-1e9, 1e9), st.sampled_from([None, 5.0]))
def test_who_is_gone_is_given_up_at_once(attempts: int, age: float, after: float | None) -> None:
    gone = DeliveryError("it answered 410 Gone; expected 2xx", after=after, gone=True)
    decision = decide(attempts, 0.0, age, gone, "m1")
    assert decision == GivenUp("it answered 410 Gone; expected 2xx: the receiver is gone", channel=True)


@given(st.integers(1, 100), ids, st.floats(0, 1e9), st.floats(0, PATIENCE - 100))
def test_a_receivers_wish_is_honoured_up_to_a_minute(attempts: int, name: str, after: float, age: float) -> None:
    found = wait(attempts, age, DeliveryError("it answered 429", after=after), name)
    wish = min(max(after, 1.0), 60.0)
    assert wish - 1e-6 <= found <= wish * (1 + JITTER) + 1e-6


@given(st.integers(1, 4), ids)
def test_what_seems_hopeless_is_not_hurried(attempts: int, name: str) -> None:
    assert wait(attempts, 0.0, DeliveryError("no such kind", retry=False), name) >= 60.0


@given(st.integers(1, 10_000), st.floats(-1e9, 1e9), st.floats(0, 2e9), ids)
def test_it_goes_on_or_ends_and_is_the_same_everywhere(
    attempts: int, age: float, created: float, name: str
) -> None:
    now = created + age
    decision = decide(attempts, created, now, REFUSED, name)
    assert decision == decide(attempts, created, now, REFUSED, name)
    if isinstance(decision, Again):
        assert now < decision.at <= now + LONGEST_WAIT + 1e-6
    else:
        assert attempts >= LEAST_TRIES
        assert age >= PATIENCE - 1e-3


@given(ids, st.floats(1e9, 2e9))
def test_lived_to_the_end_it_is_some_900_tries(name: str, created: float) -> None:
    now, attempts = created, 1
    while isinstance(decision := decide(attempts, created, now, REFUSED, name), Again):
        now, attempts = decision.at, attempts + 1
    assert now == pytest.approx(created + PATIENCE, abs=0.001)
    assert 750 <= attempts <= 920


def test_messages_do_not_all_come_back_at_once() -> None:
    assert len({wait(5, 51.0, name=str(number)) for number in range(100)}) == 100
