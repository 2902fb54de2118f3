"""One request and the reading of its answer: what a flight needs of a kind of probe.

Guarantees: whatever the bytes, `feed` and `end` raise nothing but `Broken`, `TooLarge`, `Ended` and `Unsent`. No
I/O and no clock: bytes come in with the instant at which they were received (nanoseconds of the monotonic clock).
"""

import re
from collections.abc import Callable, Mapping
from typing import Protocol

from keeptime.model.sample import Failure, Stream
from keeptime.observe.answer import Answer, Broken, Step, TooLarge
from keeptime.observe.attributes import Declared
from keeptime.observe.expect import Bad
from keeptime.observe.timings import timings_of, told_of
from keeptime.observe.traceparent import begun

Look = Callable[[int, Mapping[bytes, bytes], bytes], tuple[Bad | None, int | None]]
"""What is wrong with a whole answer (status, header fields, body), and how many tokens it says it gave."""


class Ended(Exception):
    """There is no reason to read on: the request has failed in this way, at `at` where that is not now."""

    def __init__(self, failure: Failure, detail: str, at: int | None = None) -> None:
        super().__init__(detail)
        self.failure, self.at = failure, at


LEARNED = "how to ask was learned of the server first"


class Unsent(Exception):
    """Something had to be learned first: nothing is known of the endpoint, and the next request can be made."""


class Asked(Protocol):
    """`request`: the bytes that are sent once the connection stands. `owed`: bytes to be sent now, taken after each
    `feed` by whoever sends them. `keep`: the connection can be used again. `until`: the instant at which patience
    with this answer ends, 0 where only the timeout ends it; `expired` is asked then. `waits`: an answer is waited
    for; else it is enough that the connection stands. `piece`: what ends a piece where it matters when each one
    came; None where the answer matters as a whole. `trace`: the id of the trace that the request began, "" where
    it began none.
    """

    request: bytes
    owed: bytes
    until: int
    waits: bool
    trace: str

    @property
    def piece(self) -> re.Pattern[bytes] | None: ...

    @property
    def status(self) -> int | None: ...

    @property
    def size(self) -> int:
        """Bytes of body so far."""
        ...

    @property
    def keep(self) -> bool: ...

    @property
    def begun(self) -> bool:
        """Has anything of the answer come? What is of the connection alone is not of the answer."""
        ...

    def feed(self, data: bytes, at: int) -> bool:
        """Take the next bytes (at least one). Is the answer whole?"""
        ...

    def end(self, at: int) -> None:
        """The other side has closed. Raises Broken if that is not the end of a whole answer."""
        ...

    def expired(self) -> Bad | None:
        """`until` has passed: what that means; None where the answer counts as whole all the same."""
        ...

    def look(self) -> tuple[Bad | None, int | None]:
        """Of a whole answer: what is wrong with it, and how many tokens it gave, where that is known."""
        ...

    def done(self, at: int) -> int:
        """When an answer that was whole at this instant counts as done: not after it."""
        ...

    def known(self) -> Mapping[str, str]:
        """The attributes of the request, as far as it came."""
        ...

    def timings(self) -> Mapping[str, int]:
        """Nanoseconds that the server says it spent, by name."""
        ...

    def headers(self) -> Mapping[str, str]:
        """Those of the answer that tell who gave it."""
        ...

    def stream(self, sent: int) -> Stream | None:
        """When its pieces came, of a request that left at `sent`; None where it is not read in pieces."""
        ...


class AtOnce:
    """What is alike of readings for which it does not matter when each piece came."""

    __slots__ = ()
    piece: re.Pattern[bytes] | None = None

    def expired(self) -> Bad | None:
        return None

    def done(self, at: int) -> int:
        return at

    def stream(self, _sent: int) -> Stream | None:
        return None


class Untold:
    """What is alike of requests that begin no trace, and whose answers say nothing of how they were made."""

    __slots__ = ()
    trace = ""

    def timings(self) -> Mapping[str, int]:
        return {}

    def headers(self) -> Mapping[str, str]:
        return {}


class OverHttp:
    """What is alike of readings of one HTTP answer. `request`: as it was made ready."""

    __slots__ = ("_answer", "owed", "request", "trace", "until", "waits")

    def __init__(self, request: bytes, answer: Answer) -> None:
        self._answer = answer
        self.request, self.trace = begun(request)
        self.owed, self.until, self.waits = b"", 0, True

    @property
    def status(self) -> int | None:
        return self._answer.status

    @property
    def size(self) -> int:
        return self._answer.size

    @property
    def keep(self) -> bool:
        return self._answer.keep

    @property
    def begun(self) -> bool:
        return True

    def timings(self) -> Mapping[str, int]:
        return timings_of(self._answer.fields)

    def headers(self) -> Mapping[str, str]:
        return told_of(self._answer.fields)


class Plain(OverHttp, AtOnce):
    """A request whose answer matters as a whole."""

    __slots__ = ("_attributes", "_look")

    def __init__(self, request: bytes, answer: Answer, look: Look, attributes: Declared) -> None:
        super().__init__(request, answer)
        self._look, self._attributes = look, attributes

    def feed(self, data: bytes, _at: int) -> bool:
        return self._answer.feed(data)

    def end(self, _at: int) -> None:
        self._answer.end()

    def look(self) -> tuple[Bad | None, int | None]:
        answer = self._answer
        return self._look(answer.status or 0, answer.fields, answer.body)

    def known(self) -> Mapping[str, str]:
        answer = self._answer
        return self._attributes.of(answer.fields, answer.body if answer.step is Step.DONE else None)


def ending(error: Broken | TooLarge | Ended, at: int) -> tuple[Failure, str, int]:
    """How the request has failed and when, of what a reading raised at this instant."""
    if isinstance(error, Ended):
        return error.failure, str(error), error.at or at
    return (Failure.TOO_LARGE if isinstance(error, TooLarge) else Failure.PROTOCOL), str(error), at
