"""Buckets of requests: a burst, then a steady rate, and never more than a bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from keeptime.web.limits import Limit, key_of


def test_a_burst_and_then_a_rate() -> None:
    limit = Limit(rate=2, burst=3)
    assert [limit.take("a", 0) for _ in range(3)] == [0, 0, 0]
    assert limit.take("a", 0) == 0.5
    assert limit.wait("a", 0) == 0.5
    assert limit.take("b", 0) == 0
    assert limit.take("a", 0.5) == 0
    assert limit.take("a", 0.5) > 0
    assert [limit.take("a", 1000) for _ in range(4)] == [0, 0, 0, 0.5]


def test_a_clock_that_steps_back_gives_nothing() -> None:
    limit = Limit(rate=1, burst=1)
    assert limit.take("a", 100) == 0
    assert limit.take("a", 0) == 1


def test_however_many_ask_few_are_remembered() -> None:
    limit = Limit(rate=1, burst=1, most=10)
    for nth in range(1000):
        assert limit.take(f"{nth}", 0) == 0
    assert len(limit._left) == 10
    assert limit.take("999", 0) > 0


@given(st.lists(st.floats(0, 0.3), max_size=60))
def test_never_more_than_the_burst_and_the_rate(waits: list[float]) -> None:
    limit, now, granted = Limit(rate=2, burst=5), 0.0, 0
    for wait in waits:
        now += wait
        granted += limit.take("a", now) == 0
    assert granted <= 5 + 2 * now + 1e-9


def test_a_network_of_ipv6_is_one() -> None:
    assert key_of("2001:db8::1") == key_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert key_of("2001:db8:0:1::1") != key_of("2001:db8::1")
    assert key_of("::ffff:10.0.0.1") == key_of("10.0.0.1") == "10.0.0.1"
    assert key_of("fe80::1%eth0") == "fe80::/64"
    assert len(key_of("x" * 500)) <= 64
