"""What is counted between reads, against what really happened."""

from hypothesis import given
from hypothesis import strategies as st

from keeptime.observe.series.api import Line
from keeptime.observe.series.increments import REMEMBERED, Watched, Whole

ALICE = (("pod", "alice"),)
BOB = (("pod", "bob"),)


def line(value: float, labels: tuple[tuple[str, str], ...] = ALICE, at: float = 0.0) -> Line:
    return Line(labels, ((at, value),))


def test_the_first_sample_is_a_baseline_and_the_next_one_counts() -> None:
    watched = Watched()
    assert watched.advance([line(100)], 0) == 0
    assert watched.advance([line(103)], 10) == 3
    assert watched.advance([line(103)], 20) == 0


def test_a_counter_that_fell_counts_from_zero() -> None:
    watched = Watched()
    watched.advance([line(100)], 0)
    assert watched.advance([line(4)], 10) == 4


def test_each_series_is_reset_on_its_own() -> None:
    watched = Watched()
    watched.advance([line(100), line(50, BOB)], 0)
    assert watched.advance([line(2), line(55, BOB)], 10) == 2 + 5


def test_a_series_that_was_lost_is_counted_on_within_an_hour() -> None:
    watched = Watched()
    watched.advance([line(100)], 0)
    assert watched.advance([], 1800) == 0
    assert watched.advance([line(130)], REMEMBERED) == 30


def test_after_more_than_an_hour_it_is_a_baseline_again() -> None:
    watched = Watched()
    watched.advance([line(100)], 0)
    assert watched.advance([line(130)], REMEMBERED + 1) == 0
    assert watched.advance([line(131)], REMEMBERED + 11) == 1


def test_a_new_series_is_a_baseline() -> None:
    watched = Watched()
    watched.advance([line(100)], 0)
    assert watched.advance([line(101), line(7, BOB)], 10) == 1
    assert watched.advance([line(101), line(9, BOB)], 20) == 2


@given(st.lists(st.tuples(st.sampled_from(["scrape", "blind", "restart"]), st.integers(0, 50)), max_size=60))
def test_what_is_counted_is_what_happened_but_for_what_a_restart_hid(steps: list[tuple[str, int]]) -> None:
    """Hidden: what no scrape saw before a restart, and the old value where the new one has grown past it."""
    watched = Watched()
    watched.advance([line(0)], 0)
    value = seen = hidden = happened = 0
    counted = 0.0
    for place, (what, events) in enumerate(steps, start=1):
        happened += events
        if what == "restart":
            hidden += value - seen
            value = events
            hidden += seen if value >= seen else 0
        else:
            value += events
        if what != "blind":
            counted += watched.advance([line(value)], place * 10.0)
            seen = value
    assert counted + hidden + (value - seen) == happened


@given(st.lists(st.floats(0, 10, allow_nan=False), max_size=50))
def test_fractions_are_carried_on(amounts: list[float]) -> None:
    whole = Whole()
    got = sum(whole.of(each) for each in amounts)
    assert abs(got - sum(amounts)) < 1.001
