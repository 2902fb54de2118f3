"""The last 90 days of one promise, day by day, as bars and in words.

Guarantees: always as many days, oldest first, in UTC; a day falls short by its counts, never by a rounded ratio; no
requests, and nothing observed, are told apart. Knows nothing of HTML.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

from keeptime.model.series import Series
from keeptime.model.tally import Tally
from keeptime.units import format_percent
from keeptime.web.figures import shown_ratio

DAYS = 90
DAY = 86_400
_HEIGHTS = {"kept": 32, "short": 18, "idle": 8, "unseen": 2}
"""Of a bar, so that colour is not what tells them apart."""


@dataclass(frozen=True, slots=True)
class Day:
    """`kind`: kept, short (of what was promised), idle (no requests) or unseen. `words`: with its date."""

    kind: str
    words: str

    @property
    def height(self) -> int:
        return _HEIGHTS[self.kind]


def first_day(now: float) -> float:
    """Where the oldest of the days begins, in Unix seconds."""
    return float((now // DAY - (DAYS - 1)) * DAY)


def days_of(found: Series, tick_seconds: float, now: float, target: Fraction, noun: str) -> tuple[Day, ...]:
    """Oldest first; the last one is today, so far."""
    first = int(first_day(now)) // DAY
    good, bad, lived = Counter[int](), Counter[int](), set[int]()
    for each in found:
        day, tally = int(each.start * tick_seconds) // DAY, each.value or Tally()
        good[day] += tally.good
        bad[day] += tally.bad
        if each.lived:
            lived.add(day)
    days = range(first, first + DAYS)
    return tuple(_day(each, good[each], bad[each], each in lived, target, noun) for each in days)


def summed(days: Sequence[Day], target: Fraction) -> str:
    """All bars in one sentence, for who does not see them."""
    count = Counter(each.kind for each in days)
    said = [f"on {count['kept']} it was {format_percent(target)} or better", f"on {count['short']} less"]
    said += [f"on {count[kind]} {words}" for kind, words in _NOTHING if count[kind]]
    return f"Of the last {len(days)} days, {', '.join(said)}."


_NOTHING = (("idle", "there were no requests"), ("unseen", "nothing was observed"))


def _day(day: int, good: int, bad: int, lived: bool, target: Fraction, noun: str) -> Day:
    date, events = f"{datetime.fromtimestamp(day * DAY, UTC):%Y-%m-%d}", good + bad
    if not events:
        kind, words = _NOTHING[0 if lived else 1]
        return Day(kind, f"{date}: {words}")
    said = f"{date}: {shown_ratio(good, events, target)} of {events:,} {noun}"
    if good >= target * events:
        return Day("kept", said)
    return Day("short", f"{said}, less than the promised {format_percent(target)}")
