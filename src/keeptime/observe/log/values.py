"""What stands in a line, as text → latency, status and time.

Guarantees: pure; a value that is none is None, never a guess. Sums what nginx says of several upstreams.
"""

import math
import re
from datetime import UTC, datetime
from functools import lru_cache

from keeptime.contract.traffic.log_format import Unit

NANOSECONDS = {Unit.S: 1e9, Unit.MS: 1e6, Unit.US: 1e3, Unit.NS: 1.0}
LONGEST_NS = 86_400 * 10**9
"""A request that took longer than a day is a mistake in the line."""

_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
LONGEST_TIME = 64
_CLF = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)", re.ASCII)
_NUMBER = re.compile(r"\d{1,20}(?:\.\d{1,12})?", re.ASCII)
_SCALES = ((1e11, 10**9), (1e14, 10**6), (1e17, 10**3))
"""Unix seconds are below the first, milliseconds below the second, microseconds below the third."""

_IDS = re.compile(
    r"\d+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|(?=[^/]*\d)[0-9a-fA-F]{12,}"
    r"|(?=[^/]*\d)[A-Za-z0-9_-]{20,}|.{65,}",
    re.ASCII,
)


def latency_ns(text: str, per_unit: float) -> int | None:
    """Nanoseconds; of several upstreams ("0.1, 0.2 : 0.3") all of them, for they were asked one after another."""
    try:
        number = float(text)
    except ValueError:
        number = _sum(text)
    took = number * per_unit
    return round(took) if 0 <= took <= LONGEST_NS else None


def _sum(text: str) -> float:
    """NaN where it is no list of numbers, or none of them was measured."""
    found = [each for part in text.split(",") for each in part.split(":")]
    said = [each.strip() for each in found if each.strip() != "-"]
    if not said or not all(_NUMBER.fullmatch(each) for each in said):
        return math.nan
    return sum(map(float, said))


def status_of(text: str) -> int | None:
    """100 to 599; 0 where there was none ("000", "0", "-")."""
    if len(text) == 3 and text.isascii() and text.isdigit() and "100" <= text <= "599":
        return int(text)
    return 0 if text in ("0", "000", "-") else None


def instant_ns(text: str) -> int | None:
    """Unix nanoseconds of a number, of ISO 8601, or of the way of the Common Log Format."""
    return _instant(text) if len(text) <= LONGEST_TIME else None


@lru_cache(maxsize=1024)
def _instant(text: str) -> int | None:
    try:
        if _NUMBER.fullmatch(text):
            return _of_number(text)
        clf = _CLF.fullmatch(text)
        return _of_clf(clf) if clf is not None else _of_iso(text)
    except (ValueError, OverflowError):
        return None


def _of_number(text: str) -> int:
    number = float(text)
    scale = next((each for limit, each in _SCALES if number < limit), 1)
    whole, _, part = text.partition(".")
    return int(whole) * scale + round(float(f"0.{part or 0}") * scale)


def _of_clf(found: re.Match[str]) -> int:
    day, month, year, hour, minute, second, sign, off_hours, off_minutes = found.groups()
    local = datetime(
        int(year), _MONTHS.find(month) // 3 + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
    )
    offset = (int(off_hours) * 3600 + int(off_minutes) * 60) * (-1 if sign == "-" else 1)
    return (round(local.timestamp()) - offset) * 10**9


def _of_iso(text: str) -> int:
    """Without an offset it is UTC."""
    at = datetime.fromisoformat(text)
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return round(at.replace(microsecond=0).timestamp()) * 10**9 + at.microsecond * 1000


def path_of(text: str) -> str:
    """A path without host, query and ids: what is a number, a UUID or a long token is `*`."""
    path = re.split(r"[?#;]", text, maxsplit=1)[0]
    if "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return "/".join("*" if each and _IDS.fullmatch(each) else each for each in path.split("/"))[:200]
