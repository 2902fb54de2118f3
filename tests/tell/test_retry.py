"""When a message is tried again."""

from hypothesis import given
from hypothesis import strategies as st

from keeptime.tell.retry import JITTER, LONGEST_WAIT, SLOWEST, WAITS, next_try

ids = st.uuids().map(str)


@given(st.integers(1, 10_000), ids)
def test_the_waits_are_the_tables_with_a_little_more(attempts: int, name: str) -> None:
    wait = next_try(attempts, 0.0, None, name)
    base = WAITS[min(attempts, 5) - 1]
    assert base <= wait <= base * (1 + JITTER)


def test_the_table() -> None:
    assert WAITS == (1.0, 5.0, 15.0, 30.0, 60.0)


@given(st.integers(1, 100), ids, st.floats(0, 1e9))
def test_a_receivers_wish_is_honoured_up_to_a_minute(attempts: int, name: str, after: float) -> None:
    wait = next_try(attempts, 0.0, after, name)
    assert min(max(after, 1.0), 60.0) <= wait <= LONGEST_WAIT


@given(ids)
def test_what_seems_hopeless_is_tried_slowly(name: str) -> None:
    assert next_try(1, 0.0, None, name, hopeless=True) >= SLOWEST


@given(st.integers(1, 9), st.floats(0, 2e9), ids)
def test_the_jitter_is_the_messages_own(attempts: int, now: float, name: str) -> None:
    assert next_try(attempts, now, None, name) == next_try(attempts, now, None, name)


def test_messages_do_not_all_come_back_at_once() -> None:
    assert len({next_try(5, 0.0, None, str(number)) for number in range(100)}) == 100
