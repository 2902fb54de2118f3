"""Calendar windows: when the current day, week, month or quarter began and ends in a time zone.

Guarantees: right across daylight saving, where a day has 23 or 25 hours; periods cover all of time without a gap.
Reads no clock.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from keeptime.contract.terms import Calendar, Rolling, Window

_USUAL_DAYS = {"day": 1, "week": 7, "month": 30, "quarter": 91}


PERIOD_NAME = r"\d{4}-(Q[1-4]|W([0-4]\d|5[0-3])|(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)"
"""What a period is called, in ASCII; `period_name` makes these names."""


def usual_seconds(window: Window) -> float:
    """The length of a window in seconds; of a calendar one its usual length (a month 30 days, a quarter 91)."""
    return window.seconds if isinstance(window, Rolling) else _USUAL_DAYS[window.unit] * 86_400.0


def period(window: Calendar, unix_seconds: float) -> tuple[float, float]:
    """The (start, end) in Unix seconds of the calendar period that holds this instant; the end is not part of it.

    A week begins on Monday (ISO 8601). Where a zone skips or repeats midnight, the period begins at the first
    instant that bears its date.
    """
    zone = ZoneInfo(window.timezone)
    first = _first_day(window, datetime.fromtimestamp(unix_seconds, zone).date())
    start, following = midnight(first, zone), _next_first_day(window, first)
    end = midnight(following, zone)
    while unix_seconds >= end:  # clocks set back over midnight: yesterday's date again, but its period is over
        start, following = end, _next_first_day(window, following)
        end = midnight(following, zone)
    return start, end


def period_name(window: Calendar, start: float) -> str:
    """The name of the period that begins at this instant: 2026-10, 2026-Q4, 2026-W41, 2026-10-05."""
    day = datetime.fromtimestamp(start, ZoneInfo(window.timezone)).date()
    if window.unit == "day":
        return day.isoformat()
    if window.unit == "week":
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{day:%Y-%m}" if window.unit == "month" else f"{day.year}-Q{(day.month + 2) // 3}"


def named_period(window: Calendar, name: str) -> tuple[float, float] | None:
    """The (start, end) of the period that `period_name` calls so; None where no period of this window is."""
    try:
        first = _named_day(window.unit, name)
    except ValueError:
        return None
    start = midnight(first, ZoneInfo(window.timezone))
    return period(window, start) if period_name(window, start) == name else None


def _named_day(unit: str, name: str) -> date:
    """Raises ValueError."""
    if unit == "day":
        return date.fromisoformat(name)
    year, _, rest = name.partition("-")
    if unit == "week":
        return date.fromisocalendar(int(year), int(rest.removeprefix("W")), 1)
    return date(int(year), int(rest) if unit == "month" else int(rest.removeprefix("Q")) * 3 - 2, 1)


def _first_day(window: Calendar, day: date) -> date:
    if window.unit == "day":
        return day
    if window.unit == "week":
        return day - timedelta(days=day.weekday())
    if window.unit == "month":
        return day.replace(day=1)
    return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def _next_first_day(window: Calendar, first: date) -> date:
    if window.unit in ("day", "week"):
        return first + timedelta(days=1 if window.unit == "day" else 7)
    months = first.month - 1 + (1 if window.unit == "month" else 3)
    return date(first.year + months // 12, months % 12 + 1, 1)


def midnight(day: date, zone: ZoneInfo) -> float:
    """The first instant of a date in a zone.

    Midnight with fold=0 is the earlier of a repeated one. In a gap, PEP 495 takes fold=0 with the offset from
    before the gap, which lands after it by as much as midnight lies inside: step back to the gap's end.
    """
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    shown = start.astimezone(UTC).astimezone(zone)
    inside = shown.replace(tzinfo=None) - start.replace(tzinfo=None)
    if not inside:
        return start.timestamp()
    return _gap_end(start.timestamp() - inside.total_seconds(), start.timestamp(), day, zone)


def _gap_end(before: float, after: float, day: date, zone: ZoneInfo) -> float:
    """By bisection on whole seconds: the first instant in (before, after] whose local date is not before `day`."""
    low, high = int(before) - 86_400, int(after)
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).date() >= day:
            high = middle
        else:
            low = middle
    return float(high)
