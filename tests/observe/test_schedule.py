"""Slots: on the grid, kept over restarts, none lost and none twice."""

from hypothesis import given
from hypothesis import strategies as st

from keeptime.observe.phases import Phase, Stopwatch
from keeptime.observe.schedule import SECOND, Slots, slots_of

everies = st.integers(1_000_000, 3600 * SECOND)
NOW = 1_795_000_000 * SECOND


@given(everies, st.integers(0, 1 << 62), st.integers(0, 2 * NOW))
def test_the_first_slot_from_an_instant(every: int, seed: int, wall: int) -> None:
    slots = Slots(seed % every, every)
    k = slots.first_from(wall)
    assert slots.due(k - 1) < wall <= slots.due(k)


@given(everies, st.integers(0, 1 << 62), st.lists(st.integers(1, 7200 * SECOND), max_size=20))
def test_every_slot_is_launched_or_missed_once(every: int, seed: int, wakes: list[int]) -> None:
    """However the loop is woken: slots go on without a gap; none is launched later than the patience."""
    slots = Slots(seed % every, every)
    k = first = slots.first_from(NOW)
    wall, handled = NOW, 0
    for gap in wakes:
        wall += gap
        for _ in range(5):
            if slots.due(k) > wall:
                break
            missed = slots.missed(k, wall)
            if missed:
                k, handled = k + missed, handled + missed
                assert slots.due(k) >= wall - slots.patience
            else:
                assert 0 <= wall - slots.due(k) <= slots.patience
                k, handled = k + 1, handled + 1
    assert k - first == handled


def test_an_hour_of_sleep_is_no_burst() -> None:
    slots = Slots(0, SECOND // 10)
    k = slots.first_from(NOW)
    missed = slots.missed(k, NOW + 3600 * SECOND)
    assert missed == 36_000 - 1
    assert slots.missed(k, NOW + SECOND // 20) == 0


def test_phases_are_stable_and_spread() -> None:
    assert slots_of("sentiment-latency", 0, 10.0) == slots_of("sentiment-latency", 0, 10.0)
    # Written down: a new version of keeptime must not move anybody's probes.
    assert slots_of("sentiment-latency", 0, 10.0).phase == PHASE_OF_SENTIMENT
    assert slots_of("sentiment-latency", 1, 10.0) != slots_of("sentiment-latency", 0, 10.0)
    tenths = [0] * 10
    for index in range(2000):
        tenths[slots_of(f"contract-{index}", 0, 1.0).phase * 10 // SECOND] += 1
    assert min(tenths) > 130
    assert max(tenths) < 280


PHASE_OF_SENTIMENT = 3384243736


@given(st.lists(st.tuples(st.sampled_from(list(Phase)), st.integers(-50, 500)), max_size=20))
def test_phases_add_up_and_are_never_negative(marks: list[tuple[Phase, int]]) -> None:
    watch = Stopwatch()
    watch.leave(1000)
    for phase, step in marks:
        watch.phase = phase
        watch.mark(watch.last + step)
        phases = watch.phases()
        spent = (phases.dns, phases.connect, phases.tls, phases.write, phases.wait, phases.transfer)
        assert phases.total == watch.last - watch.sent
        if marks == sorted(marks, key=lambda mark: mark[0]):  # phases come in their order
            assert min(spent) >= 0
