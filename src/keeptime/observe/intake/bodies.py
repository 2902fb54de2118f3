"""A body that was posted, as the values in it.

Guarantees: of lines each is read by itself, so that a broken one costs no other; NaN and Infinity are read, so that
they are refused where they stand and not with all the rest; a body is no JSON, or holds too much: one refusal.
"""

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from keeptime.observe.intake.refusing import TooMany, Unreadable, Wrong, shown

T = TypeVar("T")
MOST_ITEMS = 10_000


@dataclass(frozen=True, slots=True)
class Totals:
    """What a program has counted since it began."""

    said: dict[str, Any]


def read(body: bytes, lines: bool) -> Totals | list[object]:
    """Totals, or requests; a line that cannot be read is a `Wrong` in its place. Raises Unreadable, TooMany."""
    if lines:
        return [_line(each) for each in _limited([each for each in body.split(b"\n") if each.strip()])]
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(
            f"the body is no JSON ({_why(error)}); expected a request, a list of them, or totals"
        ) from None
    if isinstance(found, dict):
        return Totals(found) if "series" in found else [found]
    if not isinstance(found, list):
        raise Unreadable(f"the body is {shown(found)}; expected a request, a list of them, or totals")
    return _limited(found)


def _limited(found: list[T]) -> list[T]:
    if len(found) > MOST_ITEMS:
        raise TooMany(f"the body holds {len(found)} requests; at most {MOST_ITEMS} are taken at once")
    return found


def _line(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return Wrong(f"the line is no JSON ({_why(error)})")


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeDecodeError):
        return f"no UTF-8 at byte {error.start}"
    return "nested too deep" if isinstance(error, RecursionError) else "a number of too many digits"
