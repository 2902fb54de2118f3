"""Days and periods that are over: exact sums across levels, what was missed, late counts, and a kill in between."""

from fractions import Fraction
from pathlib import Path

import pytest

from keeptime.model.change import Change
from keeptime.model.compliance import Basis, PeriodCounts
from keeptime.model.period import DayEnd, PeriodEnd, PeriodTerms
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.stored import Stored
from tests.store.given import FAST, RIGHT, TICK, opened

DAY = 8640
MIDNIGHT = 180_000_000 // DAY * DAY + DAY
"""The first tick of a day in UTC."""
TERMS = PeriodTerms(
    "2027-01", "month", "UTC", "99% of requests under 500ms over 28d", Fraction(99, 100), Basis.SAMPLED
)


def change(
    tick: int, *days: DayEnd, good: int = 1, bad: int = 0, periods: tuple[PeriodEnd, ...] = (), **more: bool
) -> Change:
    record = TickRecord(tick, {FAST: Tally(good, bad)}, **more)
    return Change((tick + 1) * TICK, record, days=days, periods=periods)


def day(first: int, until: int, slots: float = 1.0) -> DayEnd:
    return DayEnd(first, until, {FAST: slots, RIGHT: slots})


def days(store: Stored) -> list[tuple[int, int, PeriodCounts]]:
    return [(first, until, counts) for _, first, until, counts in store._periods.days(0, 2**40)]


@pytest.mark.many
def test_a_day_is_closed_with_the_tick_that_ends_it(tmp_path: Path) -> None:
    """200 ticks on both sides of a midnight that lies on no coarser level than a minute."""
    edge = MIDNIGHT + 6 * 17  # 00:17
    with opened(tmp_path, tick=edge - 200) as store:
        for tick in range(edge - 200, edge + 200):
            ends = (day(edge - DAY, edge),) if tick + 1 == edge else ()
            store.commit(change(tick, *ends, good=3, bad=tick % 2))
        assert days(store) == [(edge - DAY, edge, PeriodCounts(600, 100))], "nothing before birth is missing"
        assert store.closed_to() == {FAST: edge}


@pytest.mark.many
@pytest.mark.parametrize("minutes", [0, 15, 30, 45])
def test_a_day_that_ended_in_a_downtime_is_closed_before_its_counts_are_cut_off(
    tmp_path: Path, minutes: int
) -> None:
    """Down for 5 days: minutes are kept for 3. What was not lived through is missing, in each day its part."""
    edge = MIDNIGHT + 6 * minutes
    with opened(tmp_path, tick=edge - 300) as store:
        for tick in range(edge - 300, edge - 100):
            store.commit(change(tick))
    back = edge + 5 * DAY
    with opened(tmp_path, tick=back) as store:
        ends = [day(edge + n * DAY - DAY, edge + n * DAY) for n in range(6)]
        store.commit(change(back, *ends, incomplete=True))
        first, second, *_, last = days(store)
        assert first[2] == PeriodCounts(good=200, missing=100), "the first tick, lived in part, has its slot"
        assert second[2] == PeriodCounts(missing=DAY)
        assert len(days(store)) == 6
        assert last[1] == back


def test_a_tick_that_was_lived_in_part_misses_only_what_was_not_sent(tmp_path: Path) -> None:
    with opened(tmp_path, tick=MIDNIGHT) as store:
        store.commit(change(MIDNIGHT, good=4, incomplete=True))
        store.commit(change(MIDNIGHT + 1, day(MIDNIGHT, MIDNIGHT + 2, slots=10.0), good=10))
        assert days(store) == [(MIDNIGHT, MIDNIGHT + 2, PeriodCounts(14, missing=6))]


def test_what_is_not_probed_misses_nothing(tmp_path: Path) -> None:
    with opened(tmp_path, tick=MIDNIGHT) as store:
        store.commit(change(MIDNIGHT))
        store.commit(change(MIDNIGHT + 50, day(MIDNIGHT, MIDNIGHT + 51, slots=0.0)))
        assert days(store)[0][2] == PeriodCounts(2)


def test_late_counts_go_into_the_closed_day_and_its_period(tmp_path: Path) -> None:
    until = MIDNIGHT + 10
    end = PeriodEnd(FAST, MIDNIGHT, until, TERMS)
    with opened(tmp_path, tick=MIDNIGHT) as store:
        for tick in range(MIDNIGHT, until - 1):
            store.commit(change(tick))
        store.commit(change(until - 1, day(MIDNIGHT, until), periods=(end,)))
        store.commit(change(until))
        store.commit(change(until - 1, good=0, bad=2))
        store.commit(change(MIDNIGHT + 3, good=5))
        store.commit(change(until, good=7))
        assert days(store)[0][2] == PeriodCounts(15, 2)
        assert store.newest_periods()[FAST].counts == PeriodCounts(15, 2)


def test_a_period_is_the_sum_of_its_days_with_the_terms_of_its_time(tmp_path: Path) -> None:
    ends = [MIDNIGHT + 20, MIDNIGHT + 40, MIDNIGHT + 60]
    with opened(tmp_path, tick=MIDNIGHT + 5) as store:
        for tick in range(MIDNIGHT + 5, MIDNIGHT + 70):
            closing = (day(tick - 19, tick + 1),) if tick + 1 in ends else ()
            over = (PeriodEnd(FAST, MIDNIGHT, ends[1], TERMS),) if tick + 1 == ends[1] else ()
            store.commit(change(tick, *closing, bad=1, periods=over))
        (found,) = store.closed_periods("digits")
        assert (found.key, found.first, found.until, found.since) == (FAST, MIDNIGHT, ends[1], MIDNIGHT + 5)
        assert found.terms == TERMS
        assert found.counts == PeriodCounts(35, 35)
        assert store.newest_periods() == {FAST: found}
        assert store.closed_periods("another") == ()
    with opened(tmp_path, tick=MIDNIGHT + 80) as store:
        assert store.closed_periods("digits") == (found,)


def test_an_objective_that_was_never_observed_has_no_period(tmp_path: Path) -> None:
    with opened(tmp_path, tick=MIDNIGHT) as store:
        end = PeriodEnd(RIGHT, MIDNIGHT, MIDNIGHT + 1, TERMS)
        store.commit(change(MIDNIGHT, day(MIDNIGHT, MIDNIGHT + 1), periods=(end,)))
        assert store.closed_periods("digits") == ()
        assert [counts for *_, counts in days(store)] == [PeriodCounts(1)]


def test_closed_days_are_kept_for_400_days(tmp_path: Path) -> None:
    with opened(tmp_path, tick=MIDNIGHT) as store:
        end = PeriodEnd(FAST, MIDNIGHT, MIDNIGHT + DAY, TERMS)
        store.commit(change(MIDNIGHT))
        store.commit(change(MIDNIGHT + DAY, day(MIDNIGHT, MIDNIGHT + DAY), periods=(end,)))
        store.commit(change(MIDNIGHT + 400 * DAY))
        assert len(days(store)) == len(store.closed_periods("digits")) == 1
        store.commit(change(MIDNIGHT + 402 * DAY))
        store.commit(change(MIDNIGHT + 402 * DAY + 1))
        assert days(store) == []
        assert store.closed_periods("digits") == ()


@pytest.mark.sqlite
def test_what_a_failed_step_would_have_closed_is_not_closed(tmp_path: Path) -> None:
    with opened(tmp_path, tick=MIDNIGHT) as store:
        store.commit(change(MIDNIGHT))
        store.db.execute("CREATE TRIGGER full BEFORE INSERT ON memory BEGIN SELECT RAISE(FAIL, 'full'); END")
        wanted = change(MIDNIGHT + 1, day(MIDNIGHT, MIDNIGHT + 2))
        failing = Change(wanted.at, wanted.record, {"judge": b""}, days=wanted.days)
        with pytest.raises(Exception, match="full"):
            store.commit(failing)
        assert days(store) == []
        store.db.execute("DROP TRIGGER full")
        store.commit(failing)
        assert days(store) == [(MIDNIGHT, MIDNIGHT + 2, PeriodCounts(2))]


def test_what_is_missing_so_far_is_that_of_closed_days_and_of_today(tmp_path: Path) -> None:
    """Down for the end of one day and the begin of the next, then for some of today."""
    today = MIDNIGHT + 2 * DAY
    with opened(tmp_path, tick=MIDNIGHT) as store:
        for tick in (MIDNIGHT, MIDNIGHT + 1):
            store.commit(change(tick))
        store.commit(change(today - 10, day(MIDNIGHT, MIDNIGHT + DAY)))
        for tick in range(today - 9, today):
            store.commit(change(tick, *([day(MIDNIGHT + DAY, today)] if tick + 1 == today else [])))
        store.commit(change(today))
        store.commit(change(today + 5))
        asked = {FAST: (MIDNIGHT, today, 1.0), RIGHT: (MIDNIGHT, today, 1.0)}
        assert store.missing_since(asked, today + 6) == {FAST: 2 * DAY - 12 + 4}
        assert store.missing_since({FAST: (MIDNIGHT + DAY + 5, today, 1.0)}, today + 6) == {FAST: DAY - 10 + 4}
        assert store.missing_since({FAST: (today + 1, today, 2.0)}, today + 6) == {FAST: 8}
        assert store.missing_since({}, today + 6) == {}
