"""How many tokens an answer says that it gave.

Guarantees: never raises on any answer; a count is a whole number of at least 0, or it is a failure that says what
stood there instead. Runs after the timed span.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keeptime.model.sample import Failure
from keeptime.observe.attributes import Declared, declared
from keeptime.observe.expect import Bad

NAME = "tokens"


@dataclass(frozen=True, slots=True)
class TokenCount:
    """`place`: as the contract says it, "" where nothing is asked."""

    place: str
    declared: Declared

    def of(self, fields: Mapping[bytes, bytes], body: bytes) -> tuple[Bad | None, int | None]:
        """What is wrong with the answer, and its tokens; neither where nothing is asked."""
        if not self.place:
            return None, None
        text = self.declared.of(fields, body).get(NAME)
        if text is None:
            return (Failure.EXPECTATION, f"no tokens at {self.place}"), None
        if not (text.isascii() and text.isdigit() and len(text) <= 12):
            return (Failure.EXPECTATION, f"'{text[:40]}' tokens at {self.place}; expected a whole number"), None
        return None, int(text)


def token_count(place: str) -> TokenCount:
    """Raises ProbeError if a path cannot be read."""
    return TokenCount(place, declared(((NAME, place),) if place else ()))
