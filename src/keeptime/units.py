"""Durations, percentages and sizes as people write them, and back.

Guarantees: inside the program durations are seconds (float) or nanoseconds (int, named `_ns`) and ratios
are in (0, 1); "500ms" and "99%" exist only here, at the edge. Parsing never guesses a missing unit.
"""

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import ceil, floor

SECONDS: dict[str, Fraction] = {
    "us": Fraction(1, 1_000_000),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86_400),
    "w": Fraction(604_800),
}
BYTES: dict[str, int] = {"B": 1, "KB": 1000, "MB": 1000**2, "KiB": 1024, "MiB": 1024**2}

LONGEST = 1_000_000 * 86_400
"""Seconds of a duration: longer ones are slips of the pen, and some are no float any more."""

_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_DURATION = re.compile(rf"(?:{_NUMBER}(?:us|ms|s|m|h|d|w))+")
_PART = re.compile(rf"({_NUMBER})(us|ms|s|m|h|d|w)")
_PERCENT = re.compile(rf"({_NUMBER})\s?%")
_RATE = re.compile(rf"({_NUMBER})([kM]?)/(s|min|h|d)")
_SIZE = re.compile(rf"({_NUMBER})(B|KB|MB|KiB|MiB)")


def parse_duration(text: str) -> float:
    """Seconds of "500ms", "10s", "1h30m", "28d".

    Raises ValueError with a sentence that says what is wrong: no unit, a space, an unknown unit, zero.
    """
    if _DURATION.fullmatch(text) is None:
        raise ValueError(_why_no_duration(text))
    total = sum((Fraction(n) * SECONDS[unit] for n, unit in _PART.findall(text)), Fraction(0))
    if total <= 0:
        raise ValueError(f"'{text}' is no time at all; a duration must be longer than zero")
    if total > LONGEST:
        raise ValueError(f"'{text[:40]}' is longer than anything lasts; expected at most {LONGEST // 86_400}d")
    return float(total)


def _why_no_duration(text: str) -> str:
    if re.fullmatch(_NUMBER, text):
        return f"'{text}' has no unit; write {text}ms or {text}s"
    closed = re.sub(r"\s+", "", text)
    if closed != text and _DURATION.fullmatch(closed):
        return f"'{text}' has a space in it; write {closed}"
    return f"'{text}' is no duration; expected a number with a unit (us, ms, s, m, h, d, w) such as 500ms or 28d"


def format_duration(seconds: float) -> str:
    """The shortest exact writing: 0.5 → "500ms", 3600 → "1h", 5400 → "90m", 2419200 → "28d"."""
    micros = round(seconds * 1_000_000)
    for unit in ("d", "h", "m", "s", "ms"):
        size = int(SECONDS[unit] * 1_000_000)
        if micros and micros % size == 0:
            return f"{micros // size}{unit}"
    return f"{micros}us"


def speak_duration(seconds: float) -> str:
    """A rounded writing for sentences: "6 h", "2 d 4 h", "45 s", "320 ms"."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    for size, unit, small, small_unit in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= size:
            whole, rest = divmod(round(seconds / small), size // small)
            return f"{whole} {unit} {rest} {small_unit}" if rest and whole < 10 else f"{whole} {unit}"
    return f"{seconds:.3g} s"


MOST_PER_SECOND = 10_000_000


def parse_rate(text: str) -> float:
    """Per second, of "50/s", "3000/min", "2M/d". Raises ValueError with a sentence that says what is wrong."""
    match = _RATE.fullmatch(text)
    if match is None:
        expected = "a number per s, min, h or d, such as 50/s, 3000/min or 2M/d"
        raise ValueError(f"'{text}' is no rate; expected {expected}")
    size = {"": 1, "k": 1000, "M": 1_000_000}[match[2]]
    rate = Fraction(match[1]) * size / SECONDS["m" if match[3] == "min" else match[3]]
    if not 0 < rate <= MOST_PER_SECOND:
        raise ValueError(f"'{text}' is out of range; expected a rate above zero, and at most 10M/s")
    return float(rate)


def parse_percent(text: str) -> Fraction:
    """The exact ratio of "99.9%": Fraction(999, 1000).

    Raises ValueError with a sentence that says what is wrong. The range is the caller's to check.
    """
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is no percentage; expected a number with a per cent sign such as 99% or 99.9%")
    return Fraction(match[1]) / 100


def format_percent(ratio: Fraction | float) -> str:
    """ "99.9%" of 0.999, with as many digits as it needs."""
    exact = ratio if isinstance(ratio, Fraction) else Fraction(repr(ratio))
    try:
        value = Decimal(exact.numerator * 100) / Decimal(exact.denominator)
    except InvalidOperation as error:  # pragma: no cover - a Fraction is always finite
        raise ValueError(f"{ratio!r} is no ratio") from error
    text = f"{value.normalize():f}"
    return f"{text}%"


def parse_size(text: str) -> int:
    """Bytes of "64KiB", "1MB", "512B". Raises ValueError with a sentence that says what is wrong."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is no size; expected a number with a unit (B, KB, KiB, MB, MiB) such as 64KiB")
    return int(Fraction(match[1]) * BYTES[match[2]])


def format_rate(per_second: Fraction) -> str:
    """ "30" or "0.5", with as many digits as it needs."""
    return f"{(Decimal(per_second.numerator) / Decimal(per_second.denominator)).normalize():f}"


def shown_interval(low: float, high: float) -> str:
    """A share, or from where to where it lies, as percentages: rounded down, and up at the upper end."""
    least = f"{floor(low * 1e6 + 1e-6) / 1e4:g}%"
    return least if low == high else f"{least} to {ceil(high * 1e6 - 1e-6) / 1e4:g}%"
