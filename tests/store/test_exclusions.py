"""What was left out: counted at every level, and told apart by reason and day."""

from contextlib import closing
from pathlib import Path

import pytest

from keeptime.model.change import Change
from keeptime.model.exclusion import FAILED, Exclusion, ExclusionKind, LeftOut
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.exclusions import DayExclusion
from tests.store.given import FAST, FIRST, RIGHT, TICK, older, opened

WEEKLY = Exclusion(ExclusionKind.MAINTENANCE, "weekly restart", "ops")
DAY = 8640
MIDNIGHT = -(-FIRST // DAY) * DAY


def record(tick: int, failed: int, restarted: int) -> Change:
    reasons = {FAST: {FAILED: failed, WEEKLY: restarted}}
    tally = Tally(1, excluded=failed + restarted)
    return Change((tick + 1) * TICK, TickRecord(tick, {FAST: tally}, exclusions=reasons))


def test_reasons_are_summed_up_by_day(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for tick, failed, restarted in ((MIDNIGHT - 2, 1, 0), (MIDNIGHT - 1, 2, 5), (MIDNIGHT, 0, 7)):
            store.commit(record(tick, failed, restarted))
        store.commit(record(MIDNIGHT - 1, 1, 0))  # late
    with opened(tmp_path, tick=MIDNIGHT + 1) as store:
        day = MIDNIGHT // DAY
        before = (DayExclusion(day - 1, FAILED, 4), DayExclusion(day - 1, WEEKLY, 5))
        assert store.exclusions(FAST, MIDNIGHT - 5, MIDNIGHT) == before
        assert store.exclusions(FAST, MIDNIGHT - 5, MIDNIGHT + 1) == (*before, DayExclusion(day, WEEKLY, 7))
        assert store.exclusions(RIGHT, MIDNIGHT - 5, MIDNIGHT + 1) == ()
        counted = store.tallies(FAST, MIDNIGHT - 5, MIDNIGHT + 1, TICK)
        assert sum(tally.excluded for _, tally in counted) == 16
        assert sum(store.histories(MIDNIGHT + 1)[FAST].excluded) == 16


def test_those_of_a_contract_come_by_whole_days_newest_first(tmp_path: Path) -> None:
    day = MIDNIGHT // DAY
    with opened(tmp_path) as store:
        for tick, failed, restarted in ((MIDNIGHT - 1, 2, 5), (MIDNIGHT, 3, 0), (MIDNIGHT + 3 * DAY, 0, 7)):
            store.commit(record(tick, failed, restarted))
        left = [LeftOut(FAST.objective, day + 3, WEEKLY, 7), LeftOut(FAST.objective, day, FAILED, 3)]
        before = [LeftOut(FAST.objective, day - 1, FAILED, 2), LeftOut(FAST.objective, day - 1, WEEKLY, 5)]
        assert list(store.left_out(FAST.contract, 0, day + 9, 9)) == [*left, *before]
        assert list(store.left_out(FAST.contract, 0, day + 9, 2)) == left
        assert list(store.left_out(FAST.contract, day - 1, day, 9)) == [left[1], *before]
        assert store.left_out(FAST.contract, day + 4, day + 9, 9) == ()
        assert store.left_out("nobody", 0, day + 9, 9) == ()


def test_they_are_forgotten_with_the_counts(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(record(FIRST, 1, 0))
        store.commit(record(FIRST + 399 * DAY, 2, 0))
        assert [each.events for each in store.exclusions(FAST, 0, FIRST + 500 * DAY)] == [1, 2]
        store.commit(record(FIRST + 402 * DAY, 3, 0))
        assert [each.events for each in store.exclusions(FAST, 0, FIRST + 500 * DAY)] == [2, 3]


@pytest.mark.many
def test_a_store_from_before_is_brought_up_and_goes_on(tmp_path: Path) -> None:
    """Counts that were written without the column read 0 there, at every level."""
    with closing(older(tmp_path, 2)) as old:
        identity = 1
        old.execute("INSERT INTO objective VALUES (?, ?, ?, ?)", (identity, *FAST, FIRST))
        for name, first in (("tick", FIRST), ("60", FIRST // 6 * 6 - 6)):
            key = first << 20 | identity
            old.execute(f"INSERT INTO counts_{name} VALUES (?, 9, 1, 2, 1)", (key,))
    with opened(tmp_path) as store:
        assert store.tallies(FAST, FIRST, FIRST + 1, TICK) == ((FIRST, Tally(9, 1, 2, 1)),)
        store.commit(record(FIRST, 3, 0))
        assert store.tallies(FAST, FIRST, FIRST + 1, TICK) == ((FIRST, Tally(10, 1, 2, 1, 3)),)
        for tick in range(FIRST + 1, FIRST + 400):
            store.commit(record(tick, 1, 0))
        start = -(-(FIRST + 1) // 60) * 60
        for step in (10.0, 60.0, 600.0):
            found = store.tallies(FAST, start, start + 60, step)
            assert sum(tally.excluded for _, tally in found) == 60
