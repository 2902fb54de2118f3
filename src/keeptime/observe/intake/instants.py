"""An instant as a program writes it: Unix seconds, or ISO 8601 with its offset.

Guarantees: Unix nanoseconds, or a refusal; an instant without a time zone is refused, for nobody knows whose it is.
"""

from datetime import UTC, datetime, timedelta

from keeptime.observe.intake.refusing import Wrong, shown

_EXPECTED = "expected Unix seconds, or ISO 8601 with a time zone such as 2026-11-26T04:05:06.789Z"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST = 1e11
"""Unix seconds in which no clock is: milliseconds were meant."""


def instant(given: object) -> int:
    """Unix nanoseconds. Raises Wrong."""
    if type(given) is int or type(given) is float:
        if 0 <= given < _LARGEST:
            return round(given * 1_000_000_000)
        raise Wrong(f"at: given {shown(given)}; {_EXPECTED}")
    if not isinstance(given, str) or len(given) > 40:
        raise Wrong(f"at: {_EXPECTED}")
    try:
        found = datetime.fromisoformat(given)
        if found.tzinfo is not None:
            return (found - _EPOCH) // timedelta(microseconds=1) * 1000
    except (ValueError, OverflowError):
        pass
    raise Wrong(f"at: given {shown(given)}; {_EXPECTED}")
