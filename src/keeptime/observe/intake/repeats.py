"""What was answered to a body that came under a key, so that the same one, sent again, is not counted again.

Guarantees: bounded in number and in time; the oldest is forgotten first. Takes `now`, reads no clock.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256

from keeptime.observe.intake.refusing import Taken, Unreadable

MOST = 10_000
SECONDS = 3600
LONGEST = 200
"""Characters of a key."""


@dataclass(slots=True)
class Repeats:
    """By contract and key."""

    _known: OrderedDict[tuple[str, str], tuple[int, bytes, Taken]] = field(default_factory=OrderedDict)

    def answer(self, contract: str, key: str, body: bytes, now_ns: int) -> Taken | None:
        """What was answered to it; None where it is new. Raises Unreadable where the key came with another body."""
        if len(key) > LONGEST:
            raise Unreadable(f"Idempotency-Key: {len(key)} characters; at most {LONGEST} are taken")
        self._forget(now_ns)
        found = self._known.get((contract, key))
        if found is None:
            return None
        if found[1] != sha256(body).digest():
            raise Unreadable("this Idempotency-Key came with another body before; give each body its own")
        return found[2]

    def note(self, contract: str, key: str, body: bytes, taken: Taken, now_ns: int) -> None:
        self._known[contract, key] = now_ns, sha256(body).digest(), taken
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def _forget(self, now_ns: int) -> None:
        while self._known:
            key, (at_ns, _, _) = next(iter(self._known.items()))
            if now_ns - at_ns <= SECONDS * 1_000_000_000:
                return
            del self._known[key]
