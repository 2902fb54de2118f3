"""Whose token is this? Looks at the file of tokens whenever it has changed, so that a revocation holds at once.

Guarantees: a check never blocks the event loop (a hash takes some 20 ms and runs in a thread, two at a time at
most); what was checked is remembered for five minutes by its SHA-256, never as it is; a file that cannot be read
lets nobody in; who had to show a token once has to until keeptime ends, whatever becomes of the file.
"""

import hmac
import logging
from dataclasses import dataclass, field
from hashlib import sha256

from anyio import CapacityLimiter, to_thread

from keeptime.clock import Clock
from keeptime.errors import TokenError
from keeptime.model.token import Token, id_of
from keeptime.store.tokens import Stamp, TokenFile, is_of

log = logging.getLogger(__name__)

REMEMBERED_SECONDS = 300.0
AT_ONCE = 2
"""Hashes that are worked out at the same time: 19 MiB each."""


@dataclass(slots=True)
class Rights:
    """`always`: a token is asked for even if there is no file of them."""

    file: TokenFile
    clock: Clock
    always: bool = False
    _asked: bool = False
    _stamp: Stamp | None = None
    _tokens: dict[str, Token] = field(default_factory=dict)
    _seen: dict[str, tuple[bytes, int]] = field(default_factory=dict)
    _trouble: str = ""
    _limiter: CapacityLimiter | None = None

    def asked(self) -> bool:
        """Must who asks show a token? Raises TokenError where it cannot be known who may."""
        self._look()
        return self.always or self._asked

    def remembers(self, written: str) -> bool:
        """Was this token checked a short while ago, and does it still hold? Costs nothing."""
        return self._remembered(written) is not None

    async def owner(self, written: str) -> Token | None:
        """Whose token this is; None where it is nobody's, or is over. Raises TokenError."""
        self._look()
        if (known := self._remembered(written)) is not None:
            return known
        token = self._tokens.get(id_of(written) or "")
        if token is None or token.is_over(self._now()):
            return None
        self._limiter = self._limiter or CapacityLimiter(AT_ONCE)
        if not await to_thread.run_sync(is_of, token, written, limiter=self._limiter):
            return None
        self._look()
        if self._tokens.get(token.id) != token:
            return None
        self._seen[token.id] = _digest(written), self.clock.monotonic_ns() + round(REMEMBERED_SECONDS * 1e9)
        return token

    def _remembered(self, written: str) -> Token | None:
        identity = id_of(written) or ""
        token, (digest, until) = self._tokens.get(identity), self._seen.get(identity, (b"", 0))
        if token is None or token.is_over(self._now()) or self.clock.monotonic_ns() >= until:
            return None
        return token if hmac.compare_digest(digest, _digest(written)) else None

    def _look(self) -> None:
        """Read the file again if it is another than the one that was read."""
        try:
            stamp = self.file.stamp()
            if stamp is not None and stamp != self._stamp:
                self._replace(self.file.read())
            elif stamp is None and self._tokens:
                self._replace(())
            self._stamp, self._asked, self._trouble = stamp, self._asked or stamp is not None, ""
        except TokenError as error:
            self._asked, self._stamp = True, None
            self._replace(())
            if str(error) != self._trouble:
                log.error("nobody is let in who has to show a token: %s", error)
            self._trouble = str(error)
            raise

    def _replace(self, tokens: tuple[Token, ...]) -> None:
        """Only what is as it was stays remembered."""
        kept = {each.id: each for each in tokens}
        self._seen = {name: seen for name, seen in self._seen.items() if kept.get(name) == self._tokens.get(name)}
        self._tokens = kept

    def _now(self) -> float:
        return self.clock.wall_ns() / 1e9


def _digest(written: str) -> bytes:
    return sha256(written.encode()).digest()
