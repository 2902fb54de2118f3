"""Calendar windows in PromQL: when the present day, week, month or quarter began in a time zone, and sums since.

Guarantees: an evaluation counts for the period that holds the first instant of the time it covers, as a tick does
in the judge. PromQL knows UTC alone, so a zone's changes of its clock are written out for ten years. Reads
no clock.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from keeptime.contract.terms import Calendar
from keeptime.export.prometheus.names import LONGEST_DOWN, SUMS, Chosen
from keeptime.export.prometheus.rules import Recording

START = "keeptime:period:start_seconds"
LENGTH = "keeptime:period:length_seconds"
FRESH = "keeptime:period:fresh"
YEARS = 10
DAY, WEEK, MONDAY = 86_400, 604_800, 345_600
"""Seconds; Unix time began on a Thursday, its first Monday four days later."""


def matchers(calendar: Calendar) -> str:
    return f'{{unit="{calendar.unit}",timezone="{calendar.timezone}"}}'


def period(calendar: Calendar, interval: int, year: int) -> Iterator[Recording]:
    """When the present period began (seconds of local time), its length, and whether it is a new one.

    `year`: the first one whose changes of the clock are known.
    """
    labels = {"unit": calendar.unit, "timezone": calendar.timezone}
    offset = _Offset(calendar.timezone, year)
    now = f"(vector(time() - {interval}){offset.plus(f'vector(time() - {interval})')})"
    start = _start(calendar.unit, now)
    known = f"last_over_time({START}{matchers(calendar)}[{LONGEST_DOWN}])"
    yield Recording(FRESH, f"({start} != bool on () {known})\nor vector(1)", labels)
    yield Recording(START, start, labels)
    began = f"sum({START}{matchers(calendar)})"
    yield Recording(LENGTH, offset.lived(began, f"({began} + {_length(calendar.unit, began)})"), labels)


def period_sums(chosen: Chosen, calendar: Calendar) -> Iterator[Recording]:
    """Sums since the period began."""
    window = str(calendar)
    for now, total in SUMS.items():
        series, before = chosen.of(now), f"last_over_time({chosen.of(total, window)}[{LONGEST_DOWN}])"
        kept = f"sum without (window) ({before}) * on () group_left () (1 - {FRESH}{matchers(calendar)})"
        yield Recording(total, f"{series} + (({kept}) or 0 * {series})", {"window": window})


def _start(unit: str, now: str) -> str:
    if unit == "day":
        return f"({now} - {now} % {DAY})"
    if unit == "week":
        return f"({now} - ({now} - {MONDAY}) % {WEEK})"
    month = f"({now} - {now} % {DAY} - (day_of_month({now}) - 1) * {DAY})"
    if unit == "month":
        return month
    before = f"({month} - day_of_month({month} - {DAY}) * {DAY})"
    third = f"({before} - day_of_month({before} - {DAY}) * {DAY})"
    place = f"(month({now}) - 1) % 3"
    return f"(({month} and {place} == 0) or ({before} and {place} == 1) or {third})"


def _length(unit: str, start: str) -> str:
    if unit in ("day", "week"):
        return f"{DAY if unit == 'day' else WEEK}"
    month = f"days_in_month({start}) * {DAY}"
    if unit == "month":
        return month
    return f"({month} + days_in_month({start} + {32 * DAY}) * {DAY} + days_in_month({start} + {63 * DAY}) * {DAY})"


class _Offset:
    """A time zone's distance from UTC."""

    def __init__(self, timezone: str, year: int) -> None:
        self._zone = ZoneInfo(timezone)
        self._first = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
        self._last = int(datetime(year + YEARS, 1, 1, tzinfo=UTC).timestamp())
        self._base = self._of(self._first)
        self._changes = list(self._find())

    def plus(self, seconds: str) -> str:
        """What is added to an instant to make it local; nothing in UTC."""
        return f" + {self.at(seconds)}" if self._base or self._changes else ""

    def at(self, seconds: str) -> str:
        """The distance at an instant, both as PromQL in seconds."""
        steps = "".join(f" + ({seconds} >= bool {when}) * {by}" for when, by in self._changes)
        return f"({self._base}{steps})"

    def lived(self, start: str, end: str) -> str:
        """Seconds that pass between two local times."""
        if not self._changes:
            return f"{end} - {start}"
        utc = [f"({local} - {self.at(f'({local} - {self._base})')})" for local in (start, end)]
        return f"{utc[1]} - {utc[0]}"

    def _of(self, unix: int) -> int:
        offset = datetime.fromtimestamp(unix, self._zone).utcoffset()
        return int(offset.total_seconds()) if offset is not None else 0

    def _find(self) -> Iterator[tuple[int, int]]:
        for day in range(self._first, self._last, DAY):
            if (by := self._of(day + DAY) - self._of(day)) != 0:
                low, high = day, day + DAY
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (low, middle) if self._of(middle) != self._of(low) else (middle, high)
                yield high, by
