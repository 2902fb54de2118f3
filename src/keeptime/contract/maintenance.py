"""Is an instant in a maintenance window, and why?

Guarantees: pure; windows recur by the wall clock of their own time zone, so that 02:00 stays 02:00 across
daylight saving, and each lasts as long as it says. A start that the clock skips is as much later as the clock
jumps; one that it shows twice is the first (RFC 5545, 3.3.5). The work for one instant does not grow with the age
of a rule: an old one is begun anew near the instant, but for one with COUNT, which has at most MOST_COUNT starts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from keeptime.contract.scope import Maintenance
from keeptime.model.exclusion import Exclusion, ExclusionKind

DAY = 86_400
SECOND = 1_000_000_000
MOST_COUNT = 1000
LONGEST = 31 * DAY
"""Seconds that one window can last."""
_SLACK = timedelta(days=2)
"""More than clocks of any zone ever jump."""
Span = tuple[int, int]
"""[start, end) in Unix nanoseconds."""


def spans(window: Maintenance, day: int) -> tuple[Span, ...]:
    """Every occurrence that touches this day (days since 1970-01-01, UTC), oldest first, and some around it."""
    return _spans(window.start, window.lasts, window.timezone, window.repeat, day)


def covering(windows: Iterable[Maintenance], due_ns: int) -> Maintenance | None:
    """The first of these windows that holds this instant."""
    day = due_ns // (DAY * SECOND)
    return next((each for each in windows if any(a <= due_ns < b for a, b in spans(each, day))), None)


def reason_of(window: Maintenance) -> Exclusion:
    """Why what is due in it does not count."""
    return Exclusion(ExclusionKind.MAINTENANCE, window.reason, window.author)


def happens(window: Maintenance) -> bool:
    """Does it have a start at all? Raises ValueError where its rule cannot be read."""
    if not window.repeat:
        return True
    first = datetime.fromisoformat(window.start)
    return next(iter(rule_near(first, window.repeat, first)), None) is not None


@lru_cache(maxsize=4096)
def _spans(start: str, lasts: float, timezone: str, repeat: str, day: int) -> tuple[Span, ...]:
    begin = datetime.fromtimestamp(day * DAY, UTC).replace(tzinfo=None)
    low, high = begin - timedelta(seconds=lasts) - _SLACK, begin + _SLACK
    starts = _starts(datetime.fromisoformat(start), repeat, low, high)
    return tuple(sorted(_span(wall, ZoneInfo(timezone), lasts) for wall in starts))


def _span(wall: datetime, zone: ZoneInfo, lasts: float) -> Span:
    at = round(wall.replace(tzinfo=zone).timestamp()) * SECOND
    return at, at + round(lasts * SECOND)


def upcoming(window: Maintenance, after_ns: int, most: int) -> tuple[Span, ...]:
    """The next occurrences, at most so many, that end after this instant; the one that goes on now is the first."""
    first, zone = datetime.fromisoformat(window.start), ZoneInfo(window.timezone)
    low = datetime.fromtimestamp(after_ns / SECOND, UTC).replace(tzinfo=None)
    low -= timedelta(seconds=window.lasts) + _SLACK
    starts = rule_near(first, window.repeat, low).xafter(low, inc=True) if window.repeat else [first]
    spans = (_span(wall, zone, window.lasts) for wall in starts)
    return tuple(islice((span for span in spans if span[1] > after_ns), most))


def _starts(first: datetime, repeat: str, low: datetime, high: datetime) -> list[datetime]:
    """Wall-clock starts between these two."""
    if not repeat:
        return [first] if low <= first <= high else []
    return [] if high < first else rule_near(first, repeat, low).between(low, high, inc=True)


def rule_near(first: datetime, repeat: str, low: datetime) -> rrule:
    """The rule, begun anew at most one interval before `low`, on its own grid."""
    whole = rrulestr(repeat, dtstart=first)
    assert isinstance(whole, rrule), "one RRULE, without exceptions"
    parts = parts_of(repeat)
    if "COUNT" in parts or low <= first:
        return whole
    anew = _BEGUN[parts["FREQ"]](first, low, int(parts.get("INTERVAL", "1")), parts)
    return whole.replace(**anew) if anew else whole


def parts_of(repeat: str) -> dict[str, str]:
    """The parts of a rule by name."""
    return {name: value for name, _, value in (part.partition("=") for part in repeat.split(";"))}


Anew = dict[str, Any]
"""What of a rule is said anew; empty: nothing."""


@dataclass(frozen=True, slots=True)
class _ByDays:
    """Begin anew after whole intervals of so many days: the weekday stays, so all else does."""

    days: int

    def __call__(self, first: datetime, low: datetime, every: int, _: dict[str, str]) -> Anew:
        step = self.days * every
        return {"dtstart": first + timedelta(days=(low - first).days // step * step)}


def _by_months(first: datetime, low: datetime, every: int, parts: dict[str, str]) -> Anew:
    passed = ((low.year - first.year) * 12 + low.month - first.month) // every * every
    if passed <= 0:
        return {}
    month = first.year * 12 + first.month - 1 + passed
    begun: Anew = {"dtstart": first.replace(year=month // 12, month=month % 12 + 1, day=1)}
    return begun if _says_days(parts) else {**begun, "bymonthday": first.day}


def _by_years(first: datetime, low: datetime, every: int, parts: dict[str, str]) -> Anew:
    passed = (low.year - first.year) // every * every
    if passed <= 0:
        return {}
    begun: Anew = {"dtstart": first.replace(year=first.year + passed, month=1, day=1)}
    if _says_days(parts):
        return begun
    return {**begun, "bymonthday": first.day, **({} if "BYMONTH" in parts else {"bymonth": first.month})}


def _says_days(parts: dict[str, str]) -> bool:
    """Without such parts a rule takes its day, and a yearly one its month, from its first start."""
    return "BYDAY" in parts or "BYMONTHDAY" in parts


_BEGUN: dict[str, Callable[[datetime, datetime, int, dict[str, str]], Anew]] = {
    "DAILY": _ByDays(1),
    "WEEKLY": _ByDays(7),
    "MONTHLY": _by_months,
    "YEARLY": _by_years,
}
"""By FREQ; there are no others: see `keeptime.contract.recurrence`."""
