"""No count is lost or doubled: over levels, closings, late additions, gaps, pruning and restarts."""

from collections import Counter
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.model.change import Change
from keeptime.model.history import History
from keeptime.model.levels import STEPS
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.grid import stages_for
from keeptime.store.stored import Stored
from tests.store.given import FAST, FIRST, REQUESTS, RIGHT, counted, opened, sketch

HOUR = 360

# how many ticks the next record lies ahead (or, late, behind), with its counts
STEPS_OF = st.sampled_from([1, 1, 1, 2, 5, 6, 7, 60, 359, 360, 433, 2_600, 9_000, 26_000, 300_000])
COUNTS = st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 2), st.integers(0, 4))
Counted = tuple[int, int, int, int]
SCRIPTS = st.lists(st.tuples(st.one_of(STEPS_OF, st.integers(-500, 0)), COUNTS), min_size=1, max_size=60)


def since(history: History, start: int) -> Counted:
    """The judge's question: what is counted from this grid point on?"""
    columns = (history.good, history.bad, history.skipped, history.excluded)
    rows = list(zip(history.first, history.ticks, *columns, strict=True))
    assert all(first >= start or first + ticks <= start for first, ticks, *_ in rows), "a span lies across"
    chosen = [row[2:] for row in rows if row[0] >= start]
    return tuple(map(sum, zip(*chosen, strict=True))) if chosen else (0, 0, 0, 0)  # type: ignore[return-value]


def check(store: Stored, written: list[tuple[int, Counted]], tick_seconds: float) -> None:
    """Every window on every level's grid, as the plain sum of what was written."""
    next_tick = max(tick for tick, _ in written) + 1
    history = store.histories(next_tick)[FAST]
    assert history.born == min(tick for tick, _ in written)
    ends = [first + ticks for first, ticks in zip(history.first, history.ticks, strict=True)]
    assert list(history.first) == sorted(history.first)
    assert all(end <= start for end, start in zip(ends, history.first[1:], strict=False)), "spans overlap"
    stages = stages_for(tick_seconds)
    for stage in stages:
        longest = STEPS if stage is not stages[-1] else round(399 * 86_400 / tick_seconds / stage.ticks)
        for length in {1, 2, 30, 100, STEPS - 1, STEPS, longest}:
            start = stage.floor(next_tick - length * stage.ticks)
            plain = [counts for tick, counts in written if tick >= start]
            assert since(history, start) == tuple(map(sum, zip(*plain, strict=True))), (stage.name, length)
    if tick_seconds < 60:
        for first, ticks in zip(history.first, history.ticks, strict=True):
            assert first % ticks == 0


def total(store: Stored, start: int, end: int, step: float) -> int:
    return sum(tally.good + tally.bad for _, tally in store.tallies(FAST, start, end, step))


@pytest.mark.many
@pytest.mark.parametrize("tick_seconds", [10.0, 60.0, 1.0])
@settings(max_examples=40, deadline=None)
@given(script=SCRIPTS, reopen=st.integers(0, 60))
def test_any_window_is_the_plain_sum(script: list[tuple[int, Counted]], reopen: int, tick_seconds: float) -> None:
    written: list[tuple[int, Counted]] = []
    latencies: Counter[int] = Counter()
    newest = FIRST
    with TemporaryDirectory() as name:
        store = opened(Path(name), tick_seconds=tick_seconds)
        for turn, (step, counts) in enumerate(script):
            tick = newest + step
            newest = max(newest, tick)
            record = TickRecord(
                tick, {FAST: Tally(*counts[:3], excluded=counts[3])}, {REQUESTS: sketch(*[0.1] * (counts[0] + 1))}
            )
            store.commit(Change(tick * tick_seconds, record))
            written.append((tick, counts))
            latencies[tick] += counts[0] + 1
            if turn == reopen:
                store.close()
                store = opened(Path(name), tick=newest + 1, tick_seconds=tick_seconds)
        check(store, written, tick_seconds)
        hour = round(3600 / tick_seconds)
        oldest = (newest + 1 - round(399 * 86_400 / tick_seconds)) // hour * hour
        plain = sum(counts[0] + counts[1] for tick, counts in written if tick >= oldest)
        for seconds in (3600.0, 600.0, 60.0, tick_seconds):
            assert total(store, oldest, newest + 1, seconds) == plain, seconds
        there = sum(count for tick, count in latencies.items() if tick >= oldest)
        assert store.sketches(REQUESTS, oldest, newest + 1).count == there
        store.close()


@pytest.mark.many
def test_a_late_addition_reaches_every_level(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for tick in range(FIRST, FIRST + 2 * HOUR):
            store.commit(counted(tick, values=(0.1,)))
        start = -(-FIRST // HOUR) * HOUR
        for seconds in (10.0, 60.0, 600.0, 3600.0):
            assert total(store, start, start + HOUR, seconds) == HOUR * 10
        store.commit(counted(start + 5, 70, 7, values=(0.2, 0.3)))
        for seconds in (10.0, 60.0, 600.0, 3600.0):
            assert total(store, start, start + HOUR, seconds) == HOUR * 10 + 77, seconds
        assert store.sketches(REQUESTS, start, start + HOUR).count == HOUR + 2
        assert store.sketches(REQUESTS, start, start + 6).count == 6 + 2


@pytest.mark.many
def test_old_ticks_are_cut_off_and_what_they_counted_stays(tmp_path: Path) -> None:
    day = 8640
    with opened(tmp_path) as store:
        for tick in range(FIRST, FIRST + 1000):
            store.commit(counted(tick, values=(0.1,)))
        for tick in range(FIRST + 5 * day, FIRST + 5 * day + 20):
            store.commit(counted(tick, values=(0.1,)))
        tables = ("counts_tick", "counts_60", "sketches_tick", "sketches_60")
        assert [rows(store, name) for name in tables] == [20, 3, 20, 3]
        start = FIRST // HOUR * HOUR
        assert total(store, start, FIRST + 6 * day, 3600.0) == 10_200
        assert store.sketches(REQUESTS, start, FIRST + 6 * day).count == 1020


def rows(store: Stored, table: str) -> int:
    return int(store.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.mark.many
def test_one_commit_cuts_off_a_bounded_number_of_rows(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for tick in range(FIRST, FIRST + 3000):
            store.commit(counted(tick))
        before = rows(store, "counts_tick")
        store.commit(counted(FIRST + 500_000))
        assert 0 < before + 1 - rows(store, "counts_tick") <= 600


def test_sketches_are_summed_up_a_few_signals_at_a_time(tmp_path: Path) -> None:
    """A closed minute of many signals is done before the next one closes, and no sum misses any meanwhile."""
    keys = [REQUESTS._replace(contract=f"c{index}") for index in range(40)]
    with opened(tmp_path) as store:
        done = []
        for tick in range(FIRST, FIRST + 30):
            record = TickRecord(tick, {}, {key: sketch(0.1, 0.2) for key in keys})
            store.commit(Change(tick * 10.0, record))
            done.append(rows(store, "sketches_60"))
            for key in (keys[0], keys[20], keys[39]):
                assert store.sketches(key, FIRST, tick + 1).count == 2 * (tick + 1 - FIRST)
        assert max(now - before for before, now in pairwise(done)) <= 10
        assert done[-1] >= 160


def test_an_unusually_large_count_survives(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for tick, good in enumerate((1, 2**40, 3), FIRST):
            store.commit(counted(tick, good, 0))
        history = store.histories(FIRST + 3)[FAST]
    assert sum(history.good) == 2**40 + 4
    assert (history.good.typecode, len(history.first)) == ("q", 3)


def test_a_tick_without_events_still_gives_birth(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(0.0, TickRecord(FIRST, {RIGHT: Tally()})))
        history = store.histories(FIRST + 1)[RIGHT]
        assert (history.born, len(history.first)) == (FIRST, 0)
        assert FAST not in store.histories(FIRST + 1)


def test_suspects_are_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(0.0, TickRecord(FIRST, {FAST: Tally(5, 2, 1, 2)})))
        assert store.tallies(FAST, FIRST, FIRST + 1, 10.0) == ((FIRST, Tally(5, 2, 1, 2)),)


@pytest.mark.many
@pytest.mark.parametrize("into_minute", range(6))
def test_levels_meet_without_a_seam(tmp_path: Path, into_minute: int) -> None:
    """Where ticks have been cut off, minutes take over, at whatever tick that is."""
    with opened(tmp_path) as store:
        for tick in range(FIRST, FIRST + 30):
            store.commit(counted(tick))
        store.commit(counted(FIRST + 8640 + 9 + into_minute))
        found = store.tallies(FAST, FIRST // 6 * 6, FIRST + 9000, 10.0)
        assert sum(tally.good + tally.bad for _, tally in found) == 310
        assert len({tick for tick, _ in found}) == len(found) > 20


@pytest.mark.many
def test_late_sketches_while_their_minute_is_being_summed_up(tmp_path: Path) -> None:
    keys = [REQUESTS._replace(contract=f"c{index}") for index in range(12)]
    every = TickRecord(FIRST, {}, {key: sketch(0.1) for key in keys})
    start = FIRST // HOUR * HOUR
    with opened(tmp_path) as store:
        store.commit(Change(0.0, every))
        for turn in range(2 * HOUR):
            store.commit(Change(0.0, TickRecord(FIRST + turn)))
            if turn < 40:
                store.commit(Change(0.0, every))
        added = 41
        for key in keys:
            assert store.sketches(key, start, start + 3 * HOUR).count == added
            assert store.sketches(key, FIRST, FIRST + 1).count == added
