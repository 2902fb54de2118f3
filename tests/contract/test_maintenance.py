"""Maintenance: which instants are in a window, by the wall clock, across daylight saving, with bounded work."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.contract.maintenance import covering, rule_near, spans, upcoming
from keeptime.contract.scope import Maintenance

S = 1_000_000_000
BERLIN = ZoneInfo("Europe/Berlin")


def window(
    start: str, hours: float, repeat: str = "", zone: str = "Europe/Berlin", reason: str = "restart"
) -> Maintenance:
    return Maintenance(start, hours * 3600, zone, reason, "ops", repeat)


def ns(text: str) -> int:
    """Of an instant in UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * S


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def holds(one: Maintenance, text: str) -> bool:
    return covering([one], ns(text)) is not None


def test_once_from_its_start_until_before_its_end() -> None:
    one = window("2026-11-01T02:00", 2)  # Berlin is at +01:00
    assert [holds(one, f"2026-11-01T{each}") for each in ("00:59:59", "01:00", "02:59:59", "03:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert not holds(one, "2026-11-08T01:30")


def test_every_sunday_at_two_stays_at_two_when_clocks_change() -> None:
    one = window("2026-03-01T02:00", 1, "FREQ=WEEKLY;BYDAY=SU")
    assert holds(one, "2026-03-22T01:00")  # +01:00
    assert holds(one, "2026-04-05T00:00")  # +02:00
    assert not holds(one, "2026-04-05T01:00")
    assert holds(one, "2026-11-01T01:00")  # +01:00 again


def test_a_start_that_the_clock_skips_is_later_by_the_jump() -> None:
    """On 2026-03-29 it goes from 02:00 to 03:00 in Berlin: 02:30 is shown as 03:30, which is 01:30 UTC."""
    one = window("2026-03-22T02:30", 1, "FREQ=WEEKLY")
    assert not holds(one, "2026-03-29T01:29:59")
    assert holds(one, "2026-03-29T01:30")
    assert holds(one, "2026-03-29T02:29:59")
    assert not holds(one, "2026-03-29T02:30")


def test_a_start_that_the_clock_shows_twice_is_the_first() -> None:
    """On 2026-10-25 02:30 comes at 00:30 and at 01:30 UTC."""
    one = window("2026-10-25T02:30", 0.5)
    assert holds(one, "2026-10-25T00:30")
    assert not holds(one, "2026-10-25T01:00")
    assert not holds(one, "2026-10-25T01:30")


def test_a_window_over_the_change_lasts_as_long_as_it_says() -> None:
    """From 01:00 +01:00 three hours: until 03:00 UTC, where the clock shows 05:00."""
    one = window("2026-03-29T01:00", 3)
    assert holds(one, "2026-03-29T00:00")
    assert holds(one, "2026-03-29T02:59:59")
    assert not holds(one, "2026-03-29T03:00")


def test_a_long_window_is_seen_from_its_last_day() -> None:
    one = window("2026-11-01", 31 * 24, zone="UTC")
    assert holds(one, "2026-12-01T23:59:59")
    assert not holds(one, "2026-12-02T00:00")


def test_of_windows_that_overlap_the_first_gives_the_reason() -> None:
    early, late = window("2026-11-01T02:00", 2, reason="first"), window("2026-11-01T03:00", 2, reason="second")
    for both in ([early, late], [late, early]):
        found = covering(both, ns("2026-11-01T02:30"))
        assert found is both[0]
    found = covering([early, late], ns("2026-11-01T03:30"))
    assert found is late


RULES = (
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3",
    "FREQ=DAILY;COUNT=30",
    "FREQ=DAILY;UNTIL=20230101T000000",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29",
    "FREQ=WEEKLY;BYDAY=SU",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=SU",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;INTERVAL=5;BYDAY=-1SU",
    "FREQ=MONTHLY;BYMONTHDAY=-1,15;BYHOUR=3,5",
    "FREQ=YEARLY",
    "FREQ=YEARLY;INTERVAL=2;BYMONTH=3,7",
    "FREQ=YEARLY;BYDAY=20MO",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(RULES),
    st.integers(0, 3200),
    st.timedeltas(timedelta(-90), timedelta(4000)),
    st.timedeltas(timedelta(1), timedelta(500)),
)
def test_a_rule_begun_anew_is_the_whole_rule(repeat: str, day: int, later: timedelta, over: timedelta) -> None:
    first = wall("2016-01-01T02:30") + timedelta(day)
    low = first + later
    whole = rrulestr(repeat, dtstart=first).between(low, low + over, inc=True)
    assert rule_near(first, repeat, low).between(low, low + over, inc=True) == whole


def test_the_work_does_not_grow_with_the_age_of_a_rule() -> None:
    """The rule begins near the day, so that what lies between is never gone through."""
    begun = rule_near(wall("1971-01-31T02:00"), "FREQ=DAILY;INTERVAL=2", wall("2999-01-01"))
    assert wall("2999-01-01") - next(iter(begun)) < timedelta(days=3)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
def test_each_day_of_some_years_has_its_window_once(zone: str) -> None:
    """Also on Samoa, where 2011-12-30 never came."""
    one = window("2011-01-01T02:15", 0.5, "FREQ=DAILY", zone)
    found = {span for day in range(14_975, 15_705) for span in spans(one, day)}
    starts = sorted(datetime.fromtimestamp(start / S, ZoneInfo(zone)) for start, _ in found)
    assert len({each.date() for each in starts}) >= len(starts) - 1
    usual = [each for each in starts if (each.hour, each.minute) == (2, 15)]
    assert len(starts) - len(usual) <= 4
    assert all(last - first == 1800 * S for first, last in found)


def test_the_next_ones_begin_with_the_one_that_goes_on() -> None:
    """Sundays at 02:00 in Berlin, over the end of summer time."""
    weekly = window("2026-10-11T02:00", 2, "FREQ=WEEKLY")
    starts = [start for start, _ in upcoming(weekly, ns("2026-10-18T01:59:59"), 3)]
    assert starts == [ns("2026-10-18T00:00"), ns("2026-10-25T00:00"), ns("2026-11-01T01:00")]
    assert upcoming(weekly, ns("2026-10-18T02:00"), 1)[0][0] == ns("2026-10-25T00:00")
    assert upcoming(weekly, ns("2026-01-01T00:00"), 1) == ((ns("2026-10-11T00:00"), ns("2026-10-11T02:00")),)


def test_what_is_over_has_no_next_one() -> None:
    once, ended = window("2026-11-01T02:00", 2), window("2026-10-11T02:00", 2, "FREQ=DAILY;UNTIL=20261015")
    assert len(upcoming(once, ns("2026-11-01T02:59:59"), 3)) == 1
    assert upcoming(once, ns("2026-11-01T03:00"), 3) == upcoming(ended, ns("2026-11-01T00:00"), 3) == ()
