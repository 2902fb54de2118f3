"""Probes of kind tcp: does a connection come about, and does what answers say what is expected?

Guarantees: without anything to expect, the request is done when the connection stands, by the kernel's own measure
where this program was late. Knows no protocol.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from keeptime.contract.probed import Endpoint, Expect, Probe
from keeptime.model.sample import Failure
from keeptime.observe.answer import TooLarge
from keeptime.observe.asked import Asked, AtOnce, Ended, Untold
from keeptime.observe.expect import MAX_SEARCHED, Bad
from keeptime.observe.target import Asking, Target


class Said(AtOnce, Untold):
    """What is sent once the connection stands, and what comes back until the pattern is in it."""

    def __init__(
        self, request: bytes, pattern: re.Pattern[str] | None, most: int, known: Mapping[str, str]
    ) -> None:
        self.request, self._pattern, self._most, self._known = request, pattern, most, known
        self.owed, self.until, self.waits = b"", 0, pattern is not None
        self.status: int | None = None
        self.size = 0
        self.keep, self.begun = False, True
        self._body = b""

    def feed(self, data: bytes, _at: int) -> bool:
        self.size += len(data)
        if self._found(data):
            return True
        if self.size > self._most:
            raise TooLarge(f"more than {self._most} bytes came, and not what is expected")
        return False

    def _found(self, data: bytes) -> bool:
        self._body = (self._body + data)[:MAX_SEARCHED]
        return self._pattern is None or self._pattern.search(self._body.decode("utf-8", "replace")) is not None

    def end(self, _at: int) -> None:
        pattern = "" if self._pattern is None else repr(self._pattern.pattern[:60])
        raise Ended(Failure.EXPECTATION, f"the connection was closed, and nothing that came matches {pattern}")

    def look(self) -> tuple[Bad | None, int | None]:
        return None, None

    def known(self) -> Mapping[str, str]:
        return self._known


class _TcpAsks:
    def ask(self, target: Target) -> Asked:
        known = target.attributes.of({}, None)
        return Said(target.endpoint.body or b"", target.checks.regex, target.max_body, known)

    def refusal(self, _now: int, _in_flight: int) -> str:
        return ""


def tcp(endpoint: Endpoint, _probe: Probe) -> tuple[Endpoint, Asking]:
    """Of a URL with http or https, which other probes ask too, the connection alone is of interest."""
    if endpoint.url.startswith("tcp:"):
        return endpoint, _TcpAsks()
    return replace(endpoint, body=None, expect=Expect()), _TcpAsks()
