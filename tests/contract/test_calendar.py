"""Calendar periods: without gaps, at local midnight, right across daylight saving."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.contract.calendar import period, usual_seconds
from keeptime.contract.terms import Calendar, Rolling

ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Beirut", "Africa/Cairo", 
    "America/Havana", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Tehran",
    "America/Sao_Paulo", "Pacific/Kiritimati",
]  # fmt: skip
UNITS = ["day", "week", "month", "quarter"]
WINDOWS = st.builds(Calendar, st.sampled_from(UNITS), st.sampled_from(ZONES))
INSTANTS = st.floats(0, 2_500_000_000)


def _at(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Europe/Berlin", "2026-11-24", 24),
        ("America/Sao_Paulo", "2018-11-04", 23),  # midnight itself is skipped
        ("America/Havana", "2026-11-01", 25),  # midnight comes twice
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
    ],
)
def test_a_day_is_as_long_as_it_is(zone: str, day: str, hours: float) -> None:
    start, end = period(Calendar("day", zone), _at(f"{day}T12:00", zone))
    assert (end - start) / 3600 == hours


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        ("day", "2026-11-24", "2026-11-25"),
        ("week", "2026-11-23", "2026-11-30"),
        ("month", "2026-11-01", "2026-12-01"),
        ("quarter", "2026-10-01", "2027-01-01"),
    ],
)
def test_periods_of_a_plain_day(unit, start: str, end: str) -> None:
    zone = "Europe/Berlin"
    assert period(Calendar(unit, zone), _at("2026-11-24T03:17", zone)) == (_at(start, zone), _at(end, zone))


def test_a_day_that_a_zone_skipped_has_no_period() -> None:
    """Samoa went from 29 December 2011 straight to the 31st."""
    zone = Calendar("day", "Pacific/Apia")
    _, end = period(zone, _at("2011-12-29T12:00", "Pacific/Apia"))
    assert end == _at("2011-12-31T00:00", "Pacific/Apia")


def test_a_day_whose_midnight_lies_inside_a_gap_begins_at_its_end() -> None:
    """In Toronto of 1919 the clocks went from 23:30 on 30 March to 00:30."""
    zone = "America/Toronto"
    start, _ = period(Calendar("day", zone), _at("1919-03-31T12:00", zone))
    assert datetime.fromtimestamp(start, ZoneInfo(zone)).isoformat() == "1919-03-31T00:30:00-04:00"
    assert datetime.fromtimestamp(start - 1, ZoneInfo(zone)).isoformat() == "1919-03-30T23:29:59-05:00"


def test_clocks_set_back_over_midnight_do_not_reopen_a_day() -> None:
    """In St. John's of 2010 the clocks went from 00:01 back to 23:01 of the day before."""
    zone = "America/St_Johns"
    turn = _at("2010-11-07T00:00", zone)
    assert period(Calendar("day", zone), turn + 1800)[0] == turn
    assert period(Calendar("day", zone), turn - 1)[1] == turn


@given(WINDOWS, INSTANTS)
def test_an_instant_lies_in_its_period(window: Calendar, instant: float) -> None:
    start, end = period(window, instant)
    assert start <= instant < end
    assert period(window, start) == (start, end)


@given(WINDOWS, INSTANTS)
def test_the_next_period_begins_where_this_one_ends(window: Calendar, instant: float) -> None:
    _, end = period(window, instant)
    start, later = period(window, end)
    assert start == end < later


@given(WINDOWS, INSTANTS)
def test_a_period_begins_with_its_first_day(window: Calendar, instant: float) -> None:
    start, _ = period(window, instant)
    local, before = (datetime.fromtimestamp(at, ZoneInfo(window.timezone)) for at in (start, start - 1))
    assert local.date() > before.date()
    if window.unit in ("month", "quarter"):
        assert local.day == 1
    if window.unit == "week" and window.timezone != "Pacific/Apia":
        assert local.weekday() == 0


@given(WINDOWS)
def test_usual_lengths_are_near_the_real_ones(window: Calendar) -> None:
    start, end = period(window, 1_790_000_000)
    assert abs(usual_seconds(window) - (end - start)) <= 90_000


def test_the_usual_length_of_a_rolling_window_is_its_own() -> None:
    assert usual_seconds(Rolling(3600)) == 3600
