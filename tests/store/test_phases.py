"""Where the time of probes went: each probe in its minute and its hour, whatever comes late."""

from pathlib import Path

from keeptime.model.change import Change
from keeptime.model.phases import PhaseSums
from keeptime.model.tally import TickRecord
from tests.store.given import FIRST, opened

MINUTE, HOUR = 6, 360
"""Ticks of 10 s."""
ONE = PhaseSums(2, (1, 2, 3, 4, 5, 6))


def spent(tick: int, sums: PhaseSums = ONE) -> Change:
    return Change((tick + 1) * 10.0, TickRecord(tick, phases={"digits": sums}))


def test_minutes_and_hours_add_up_and_what_comes_late_is_in_both(tmp_path: Path) -> None:
    hour = FIRST // HOUR * HOUR + HOUR
    with opened(tmp_path, tick=hour) as store:
        for tick in (hour, hour + 1, hour + MINUTE, hour + HOUR, hour + 2):
            store.commit(spent(tick))
        minutes = store.phase_series("digits", hour, hour + 2 * MINUTE, 10)
        hours = store.phase_series("digits", hour, hour + HOUR + 1, 2)
        assert store.phase_series("unknown", hour, hour + HOUR, 9) == ()
        assert store.phase_series("digits", hour + 9 * HOUR, hour + 10 * HOUR, 9) == ()
    assert [each.value for each in minutes] == [ONE + ONE + ONE, ONE]
    assert [each.value for each in hours] == [ONE + ONE + ONE + ONE, ONE]
    assert hours[0].start == hour


def test_minutes_are_cut_off_and_hours_stay(tmp_path: Path) -> None:
    hour = FIRST // HOUR * HOUR
    with opened(tmp_path, tick=hour) as store:
        for day in range(6):
            store.commit(spent(hour + 24 * day * HOUR))
        found = store.phase_series("digits", hour, hour + 6 * 24 * HOUR, 5000)
        rows = store.db.execute("SELECT count(*) FROM phases_60").fetchone()[0]
    assert sum(each.value.probes for each in found if each.value) == 12
    assert {each.end - each.start for each in found[:-1]} == {HOUR}
    assert rows < 6


def test_of_ticks_of_a_minute_too(tmp_path: Path) -> None:
    with opened(tmp_path, tick=FIRST, tick_seconds=60.0) as store:
        store.commit(Change((FIRST + 1) * 60.0, TickRecord(FIRST, phases={"digits": ONE})))
        (found,) = store.phase_series("digits", FIRST, FIRST + 1, 9)
    assert (found.start, found.value) == (FIRST, ONE)
