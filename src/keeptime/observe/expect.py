"""Is this answer what the contract expects? Status, a regular expression, JSON paths (RFC 9535).

Guarantees: never raises on any answer; says what was expected and what was given. Runs after the timed span. A
regular expression sees the first 64 KiB of the body; it runs in Python's own engine, which backtracks, so an
expression like (a+)+$ can still take long: prefer JSON paths.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import jsonpath

from keeptime.contract.probed import Expect
from keeptime.errors import ProbeError
from keeptime.model.sample import Failure

MAX_SEARCHED = 65_536
Bad = tuple[Failure, str]


@dataclass(frozen=True, slots=True)
class Checks:
    """The expectations of one endpoint, made ready once."""

    status: tuple[tuple[int, int], ...]
    regex: re.Pattern[str] | None
    paths: tuple[tuple[str, Callable[[object], list[object]], object], ...]

    def wrong(self, status: int, body: bytes) -> Bad | None:
        """What is wrong with this answer, or None. Status first."""
        if not any(low <= status <= high for low, high in self.status):
            return Failure.STATUS, f"status {status}; expected {_ranges(self.status)}"
        if self.regex is not None:
            text = body[:MAX_SEARCHED].decode("utf-8", "replace")
            if self.regex.search(text) is None:
                return Failure.EXPECTATION, f"the body does not match {_short(self.regex.pattern)}"
        return self._wrong_json(body) if self.paths else None

    def _wrong_json(self, body: bytes) -> Bad | None:
        try:
            value: object = json.loads(body)
        except (ValueError, RecursionError):
            return Failure.EXPECTATION, "the body is no JSON"
        for path, find, expected in self.paths:
            problem = _wrong_path(value, path, find, expected)
            if problem:
                return Failure.EXPECTATION, problem
        return None


def checks(expect: Expect) -> Checks:
    """Raises ProbeError if the regular expression or a path cannot be read."""
    try:
        regex = None if expect.regex is None else re.compile(expect.regex)
    except (re.error, RecursionError, OverflowError) as error:
        raise ProbeError(f"expect: the regular expression {_short(expect.regex)} is none: {error}") from None
    return Checks(expect.status, regex, tuple((path, finder(path), value) for path, value in expect.json))


def finder(path: str) -> Callable[[object], list[object]]:
    """Looks for this path. Raises ProbeError if it cannot be read."""
    try:
        compiled = jsonpath.compile(path)
    except jsonpath.JSONPathError as error:
        raise ProbeError(f"expect: the JSON path {_short(path)} is none: {error}") from None

    def find(value: object) -> list[object]:
        return list(compiled.findall(value))  # type: ignore[arg-type]

    return find


def found_at(value: object, find: Callable[[object], list[object]]) -> list[object]:
    """What stands there in a JSON value; nothing where looking fails."""
    try:
        return find(value) if isinstance(value, (dict, list)) else []
    except (jsonpath.JSONPathError, RecursionError, TypeError, ValueError):
        return []


def _wrong_path(value: object, path: str, find: Callable[[object], list[object]], expected: object) -> str:
    try:
        found = find(value) if isinstance(value, (dict, list)) or path == "$" else []
    except (jsonpath.JSONPathError, RecursionError, TypeError, ValueError) as error:
        return f"{path}: {type(error).__name__} while looking"
    if not found:
        return f"{path}: nothing there; expected {'a value' if expected is ... else _short(expected)}"
    if expected is ... or any(_same(each, expected) for each in found):
        return ""
    return f"{path}: {_short(found[0])}; expected {_short(expected)}"


def _same(given: object, expected: object) -> bool:
    """Equality of JSON values: true is not 1, and 1 is 1.0."""
    if isinstance(given, bool) or isinstance(expected, bool):
        return given is expected
    if isinstance(given, dict) and isinstance(expected, dict):
        return given.keys() == expected.keys() and all(_same(given[key], expected[key]) for key in given)
    if isinstance(given, list) and isinstance(expected, list):
        return len(given) == len(expected) and all(map(_same, given, expected))
    return given == expected


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _ranges(ranges: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in ranges)
