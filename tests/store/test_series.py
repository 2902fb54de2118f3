"""The past in buckets: each event is in one, no more of them than asked for, gaps are no zeros."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.errors import StoreDamaged
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.model.sketch import DEFAULT_SCALE, Sketch, merged
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.grid import stages_for
from keeptime.store.packing import Sum, packed
from keeptime.store.series import step_of
from keeptime.store.stored import Stored
from tests.store.given import FAST, FIRST, REQUESTS, counted, opened

MINUTE, HOUR, DAY = 6, 360, 8640
"""Ticks of 10 s."""


def filled(store: Stored, *ticks: int) -> None:
    for tick in ticks:
        store.commit(counted(tick, good=3, bad=1, values=(0.1, 0.2)))


def test_each_tick_by_itself_where_so_many_points_may_be(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        filled(store, *range(FIRST, FIRST + 5))
        store.commit(Change((FIRST + 6) * 10.0, TickRecord(FIRST + 5, {})))
        found = store.series(FAST, FIRST, FIRST + 100, 200)
    assert [(each.start, each.end, each.lived) for each in found] == [
        (tick, tick + 1, 1) for tick in range(FIRST, FIRST + 6)
    ]
    assert [each.value for each in found] == [Tally(3, 1)] * 5 + [Tally()], "no events are no gap"


def test_what_was_not_lived_through_is_a_gap(tmp_path: Path) -> None:
    first = FIRST // MINUTE * MINUTE
    with opened(tmp_path, tick=first) as store:
        filled(store, *range(first, first + 8))
        filled(store, *range(first + 4 * MINUTE, first + 5 * MINUTE))
        found = store.series(FAST, first - 2 * MINUTE, first + 5 * MINUTE, 10)
        sketches = store.sketch_series(REQUESTS, first - 2 * MINUTE, first + 5 * MINUTE, 10)
    assert [each.lived for each in found] == [0, 0, 6, 2, 0, 0, 6]
    assert [each.value for each in found] == [
        None, None, Tally(18, 6), Tally(6, 2), None, None, Tally(18, 6)
    ]  # fmt: skip
    assert [None if each.value is None else each.value.count for each in sketches] == [
        None, None, 12, 4, None, None, 12
    ]  # fmt: skip


def test_before_it_was_observed_an_objective_has_nothing_whatever_was_lived(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(FIRST * 10.0, TickRecord(FIRST, {ObjectiveKey("other", "one"): Tally(1)})))
        filled(store, FIRST + 1)
        assert [each.value for each in store.series(FAST, FIRST, FIRST + 2, 9)] == [None, Tally(3, 1)]
        assert store.series(ObjectiveKey("digits", "unknown"), FIRST, FIRST + 2, 9) == ()
        assert store.sketch_series(SignalKey("digits", Signal.FIRST_TOKEN), FIRST, FIRST + 2, 9) == ()


@pytest.mark.many
def test_no_event_is_lost_or_doubled_at_any_length(tmp_path: Path) -> None:
    """Levels that are summed up already, and those that are not, are one series."""
    ticks = [FIRST + 97 * nth for nth in range(220)]  # about 2.5 days: single ticks are cut off by then
    with opened(tmp_path) as store:
        filled(store, *ticks)
        for most in (2, 7, 50, 400):
            for start, end in ((FIRST, ticks[-1] + 1), (ticks[150] - 5, ticks[190])):
                counts = store.series(FAST, start, end, most)
                sums = store.sketch_series(REQUESTS, start, end, most)
                assert len(counts) <= most
                within = [tick for tick in ticks if counts[0].start <= tick < end]
                assert sum(each.value.good for each in counts if each.value) == 3 * len(within)
                assert [each.start for each in counts[1:]] == [each.end for each in counts[:-1]]
                assert {each.end - each.start for each in counts[:-1]} | {0} == {counts[0].end - counts[0].start, 0}
                within = [tick for tick in ticks if sums[0].start <= tick < end]
                assert sum(each.value.count for each in sums if each.value) == 2 * len(within)


def test_an_empty_store_has_no_past(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.series(FAST, 0, FIRST, 10) == ()
        filled(store, FIRST)
        assert store.series(FAST, FIRST + 5, FIRST + 9, 10) == (), "nothing of the future"
        assert sum(each.lived for each in store.series(FAST, 0, 2 * FIRST, 10)) == 1, "all that is kept"


@given(st.integers(0, 400 * DAY), st.integers(1, 400 * DAY), st.integers(2, 2000))
@settings(max_examples=200, deadline=None)
def test_a_bucket_is_as_short_as_may_be(start: int, length: int, most: int) -> None:
    stages, end = stages_for(10.0), start + length

    def points(step: int) -> int:
        return -(-end // step) - start // step

    step = step_of(stages, start, end, most, lambda _: 0)
    assert points(step) <= most
    shorter = [each for each in (1, 6, 30, 60, 180, 360, 720, 1080, 2160, 4320, 8640) if each < step]
    assert all(points(each) > most for each in shorter)
    assert step_of(stages, start, end, most, lambda stage: 0 if stage.ticks >= HOUR else end) % HOUR == 0


VALUES = st.lists(st.floats(0, 1e4), max_size=30)


@given(st.lists(st.tuples(VALUES, st.integers(0, DEFAULT_SCALE)), max_size=6))
def test_packed_sketches_add_up_as_merged_ones_do(given: list[tuple[list[float], int]]) -> None:
    sketches = []
    for values, scale in given:
        sketches.append(Sketch())
        for value in values:
            sketches[-1].add(value)
        sketches[-1].rescale(scale)
    added = Sum()
    for each in sketches:
        added.add(packed(each))
    found, expected = added.sketch(), merged(sketches)
    assert found.total == pytest.approx(expected.total)
    expected.rescale(min(expected.scale, found.scale))
    found.rescale(expected.scale)
    assert (found.zeros, found.buckets) == (expected.zeros, expected.buckets)


COUNTS = st.dictionaries(st.integers(-300, 300), st.one_of(st.integers(1, 300), st.integers(1, 2**40)), max_size=20)


@given(st.lists(COUNTS, max_size=6))
def test_packed_sketches_add_up_however_wide_their_counts_are(given: list[dict[int, int]]) -> None:
    sketches = [Sketch(buckets=each) for each in given]
    added = Sum()
    for each in sketches:
        added.add(packed(each))
    assert added.sketch().buckets == merged(sketches).buckets


def test_bytes_that_are_no_sketch_are_said_to_be_damaged() -> None:
    with pytest.raises(StoreDamaged):
        Sum().add(b"nonsense")
