"""What the events of a stream mean: which carry tokens, which end it, which say that it has failed.

Guarantees: raises nothing but `Ended`, which says what the endpoint has said; an event that carries no token counts
as none. Knows nothing of time.
"""

import json
from typing import Protocol

from keeptime.model.sample import Failure
from keeptime.observe.asked import Ended
from keeptime.observe.streams.events import Event

DONE = b"[DONE]"
SHOWN = 200
"""Characters of an error that are shown."""


class Meaning(Protocol):
    """`done`: the stream has said that it is over; `finished`: that this is all of the answer; `total`: all tokens
    that the request has cost, as far as is known; `cached`: how many of the prompt's the server had kept; `last`:
    the newest event.
    """

    done: bool
    cached: int | None
    last: bytes

    def tokens(self, event: Event) -> int:
        """How many tokens came with this event. Raises Ended where it says that the request has failed."""
        ...

    @property
    def unfinished(self) -> str:
        """What is missing in a stream that ends here; "" if it is whole."""
        ...

    @property
    def output(self) -> int | None:
        """How many tokens there were, as the stream itself says it."""
        ...

    @property
    def total(self) -> int: ...

    @property
    def text(self) -> bytes:
        """What was said, to look for what was expected in."""
        ...


class Events:
    """Each event is a token, whatever is in it: the kinds `sse` and `ndjson`."""

    def __init__(self, *, lines: bool) -> None:
        self._lines = lines
        self.done = False
        self.cached: int | None = None
        self.last = b""
        self._count = 0

    def tokens(self, event: Event) -> int:
        if self.done or event.data.strip() == DONE:
            self.done = True
            return 0
        if event.name == b"error":
            raise failed(event.data)
        self.last = event.data
        if self._is_last(event.data):
            self.done = True
            return 0
        self._count += 1
        return 1

    def _is_last(self, data: bytes) -> bool:
        """An object may say that it is an error or, of lines, that it is the last."""
        if data[:1] != b"{":
            return False
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return False
        if value.get("error"):
            raise failed(value["error"])
        return self._lines and value.get("done") is True

    @property
    def unfinished(self) -> str:
        return ""

    @property
    def output(self) -> int | None:
        return None

    @property
    def total(self) -> int:
        return self._count

    @property
    def text(self) -> bytes:
        return self.last


def failed(said: object) -> Ended:
    """The endpoint says in mid-stream that the request has failed."""
    if isinstance(said, bytes):
        said = said.decode("utf-8", "replace")
    if isinstance(said, dict):
        said = said.get("message") or said
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    return Ended(Failure.STREAM, f"the endpoint ended its stream with an error: {shown(text)}")


def shown(text: str) -> str:
    """The beginning of a text of somebody else's, fit to be shown: no control characters, no half characters."""
    whole = text[:SHOWN].encode("utf-8", "replace").decode()
    return "".join(each if each.isprintable() else " " for each in whole)
