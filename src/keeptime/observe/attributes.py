"""What is known of one request, by name: constants, headers of its answer, values at JSON paths in it.

Guarantees: never raises on any answer; what an answer does not have is absent, and so is what is no text, number or
truth value. Runs after the timed span.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from keeptime.contract.attributes import HEADER, JSON
from keeptime.observe.expect import finder, found_at

LONGEST = 200
"""Characters of a value that are kept."""


@dataclass(frozen=True, slots=True)
class Declared:
    """The attributes of one probe, made ready once. `headers` by lower-case name."""

    constants: Mapping[str, str]
    headers: tuple[tuple[str, bytes], ...]
    paths: tuple[tuple[str, Callable[[object], list[object]]], ...]

    def of(self, fields: Mapping[bytes, bytes], body: bytes | None) -> Mapping[str, str]:
        """Of an answer with these header fields; `body` None where it is not whole."""
        found = dict(self.constants)
        for name, header in self.headers:
            if header in fields:
                found[name] = fields[header].decode("utf-8", "replace")[:LONGEST]
        if self.paths and body is not None:
            found |= self._in(body)
        return found

    def _in(self, body: bytes) -> dict[str, str]:
        try:
            value: object = json.loads(body)
        except (ValueError, RecursionError):
            return {}
        texts = {name: _text(found_at(value, find)) for name, find in self.paths}
        return {name: text for name, text in texts.items() if text is not None}


def declared(attributes: tuple[tuple[str, str], ...]) -> Declared:
    """Raises ProbeError if a path cannot be read."""
    constants = {name: text for name, text in attributes if not text.startswith((HEADER, JSON))}
    headers = [(name, text.removeprefix(HEADER)) for name, text in attributes if text.startswith(HEADER)]
    paths = [(name, finder(text.removeprefix(JSON))) for name, text in attributes if text.startswith(JSON)]
    return Declared(constants, tuple((name, text.lower().encode()) for name, text in headers), tuple(paths))


def _text(values: list[object]) -> str | None:
    """The first value as `where` compares it."""
    if not values:
        return None
    value = values[0]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:LONGEST] if isinstance(value, str | int | float) else None
