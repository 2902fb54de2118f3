"""Figures as the first page shows them.

Guarantees: rounding never shows a missed target as met; times of day are in UTC. Knows nothing of HTML.
"""

from datetime import UTC, datetime
from fractions import Fraction
from math import floor

from keeptime.units import format_percent, speak_duration


def shown_ratio(good: int, events: int, target: Fraction) -> str:
    """A percentage with digits enough to tell it from the target, rounded down: 98.997 % is "98.99%"."""
    digits = max(2, len(format_percent(1 - target).partition(".")[2].rstrip("%")) + 2)
    scaled = floor(Fraction(good, events) * 100 * 10**digits)
    text = f"{scaled / 10**digits:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if good == events else text}%"


def shown_rate(rate: float) -> str:
    """A burn rate with three digits at most: 0.42, 14.4, 120."""
    return f"{rate:.2f}" if rate < 10 else f"{rate:.1f}" if rate < 100 else f"{rate:,.0f}"


def shown_count(requests: float) -> str:
    """Requests as people count them: whole ones where there are many, one decimal where there are few."""
    whole = abs(requests) >= 100 or float(requests).is_integer()
    return f"{floor(requests):,}" if whole else f"{floor(requests * 10) / 10:,.1f}"


def shown_since(began: float, now: float) -> str:
    return f"since {shown_instant(began, now)} ({shown_age(now - began)})"


def shown_age(seconds: float) -> str:
    """How long something has lasted, in whole seconds."""
    return "under 1 s" if seconds < 1 else speak_duration(round(seconds))


def shown_instant(at: float, now: float) -> str:
    """The time of day in UTC; the date too when that is half a day ago, or to come, or more."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%H:%M:%S} UTC" if abs(now - at) < 43_200 else f"{moment:%Y-%m-%d %H:%M} UTC"
