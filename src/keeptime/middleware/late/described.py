"""What is known of a request beside its latency, read when it is kept and not before.

Guarantees: attributes and timings are what the application said of it, and a length; never its body, its path, its
query or another header. Values are cut, and there are at most MOST of each.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

ATTRIBUTES, TIMINGS = "keeptime.attributes", "keeptime.timings"
"""The keys of a scope or an environ under which an application may say what it knows of a request (batch size,
device, a cache that was hit), and how many seconds its phases took."""
MOST, LONGEST, LONGEST_TIMING, LONGEST_SECONDS = 20, 150, 60, 86_400.0
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_METRIC = re.compile(
    r"\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*;(?:[^,]*;)?\s*dur\s*=\s*\"?([0-9.]{1,20})", re.IGNORECASE
)


class Described(NamedTuple):
    """`timings` in seconds; `trace`: its id in hex, "" where it has none."""

    attributes: dict[str, str]
    timings: dict[str, float]
    trace: str


def described(
    labels: Mapping[str, str], place: Mapping[str, Any], length: str, server_timing: Iterable[str], traceparent: str
) -> Described:
    """`place`: the scope or the environ; `length`: of the body that was sent, "" where it is not told."""
    attributes = {name: value[:LONGEST] for name, value in labels.items()}
    if length.isdigit() and len(length) <= MOST:
        attributes["input_bytes"] = length
    attributes |= _attributes(place.get(ATTRIBUTES))
    timings = {name: ms for each in server_timing for name, ms in _server_timing(each)} | _timings(
        place.get(TIMINGS)
    )
    found = _TRACEPARENT.fullmatch(traceparent.strip())
    return Described(dict([*attributes.items()][:MOST]), dict([*timings.items()][:MOST]), found[1] if found else "")


def _attributes(said: object) -> dict[str, str]:
    """By names that an attribute of a contract can have: lower-case letters, digits and _."""
    if not isinstance(said, Mapping):
        return {}
    known = {str(name): str(value)[:LONGEST] for name, value in [*said.items()][:MOST] if value is not None}
    return {name: value for name, value in known.items() if value and _NAME.fullmatch(name)}


def _timings(said: object) -> dict[str, float]:
    if not isinstance(said, Mapping):
        return {}
    return {str(name)[:LONGEST_TIMING]: float(took) for name, took in [*said.items()][:MOST] if _took(took)}


def _took(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST_SECONDS


def _server_timing(header: str) -> Iterable[tuple[str, float]]:
    """Seconds of each metric of a `Server-Timing` header that has a duration."""
    for part in header[:2000].split(","):
        found = _METRIC.match(part)
        seconds = -1.0 if found is None else _milliseconds(found[2]) / 1000
        if found is not None and _took(seconds):
            yield found[1][:LONGEST_TIMING], seconds


def _milliseconds(text: str) -> float:
    """Below 0 where it is no number."""
    try:
        return float(text)
    except ValueError:
        return -1.0
