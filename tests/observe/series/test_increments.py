"""What is counted between reads, against what really happened."""

from hypothesis import given
from hypothesis import strategies as st

from keeptime.observe.series.api import Line
from keeptime.observe.series.increments import MOST_GONE, REMEMBERED, Targets, Watched, Whole

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


OLD = (("instance", "a:80"), ("job", "api"))
NEW = (("code", "500"), *OLD)


def test_a_new_series_of_a_target_that_was_scraped_without_it_has_just_begun() -> None:
    watched, targets = Watched(), Targets()
    watched.advance([line(100, OLD)], 0)
    targets.note([line(100, OLD)], 0)
    assert watched.advance([line(100, OLD), line(7, NEW)], 10, targets.known(10)) == 7
    assert watched.advance([line(100, OLD), line(9, NEW)], 20, targets.known(20)) == 2


def test_a_new_series_of_a_target_that_was_not_scraped_within_the_hour_is_a_baseline() -> None:
    watched, targets = Watched(), Targets()
    targets.note([line(100, OLD)], 0)
    at = REMEMBERED + 1
    assert watched.advance([line(1e6, NEW)], at, targets.known(at)) == 0


def test_a_series_that_was_gone_for_long_is_not_taken_for_one_that_has_begun() -> None:
    watched, targets = Watched(), Targets()
    watched.advance([line(1e6, NEW)], 0)
    for at in (3000, 6000, 9000):
        watched.advance([line(1, OLD)], at)
        targets.note([line(1, OLD)], at)
    assert watched.advance([line(1e6 + 5, NEW)], 9010, targets.known(9010)) == 0


def test_what_is_remembered_of_gone_series_is_bounded() -> None:
    watched = Watched()
    watched.advance([line(1, (("pod", str(n)),)) for n in range(MOST_GONE + 50)], 0)
    watched.advance([], REMEMBERED + 1)
    assert len(watched.known) == MOST_GONE


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20), st.booleans()), max_size=40))
def test_good_ones_that_are_seen_early_cost_nothing(steps: list[tuple[int, int, bool]]) -> None:
    """A scrape that ends between the two queries: good is read with it, all requests without it."""
    good, total = Whole(), Whole()
    happened_good = happened = ahead = counted_good = counted = 0
    for well, badly, torn in [*steps, (0, 0, False), (0, 0, False)]:
        happened_good += well
        happened += well + badly
        seen = total.of(0.0 if torn else ahead + well + badly)
        ahead = ahead + well + badly if torn else 0
        counted += seen
        took = good.of(well, most=seen)
        assert 0 <= took <= seen
        counted_good += took
    assert counted == happened
    if not any(torn for _, _, torn in steps):
        assert counted_good == happened_good
    assert counted_good <= happened_good


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
