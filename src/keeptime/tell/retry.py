"""What becomes of a message that a receiver did not take: when it is tried again, or that it is a dead letter.

Guarantees: pure, so a restart keeps the schedule; the waits come from two tables, and the jitter from the message's
id: the same message and attempt give the same instant on every machine, and different messages do not come back all
at once. A message is never given up before it was tried LEAST_TRIES times, so neither a wall clock that jumps nor a
keeptime that was off for days gives one up untried; the receiver that says it is gone (410) is the only exception.
"""

from dataclasses import dataclass
from hashlib import sha256
from math import inf

from keeptime.errors import DeliveryError

FIRST_WAITS = (1.0, 5.0, 15.0, 30.0)
"""Seconds from the first failures to the next try. The first try comes at once."""

MINUTE, HOUR = 60.0, 3600.0
PATIENCE = 72 * HOUR
"""Seconds after its creation a message becomes a dead letter."""

PACES = ((HOUR, MINUTE), (PATIENCE, 5 * MINUTE), (inf, MINUTE))
"""Up to this age of the message: this wait. The last one is for what was hardly tried before it was so old."""

LEAST_TRIES = 20

JITTER = 0.2
"""A wait is made longer by up to this share of itself."""

LONGEST_WAIT = 5 * MINUTE * (1 + JITTER)
"""No wait is longer, in seconds. A row due later than this from now was written under another wall clock."""

WISH = (1.0, MINUTE)
"""A receiver's Retry-After is honoured within these seconds."""


@dataclass(frozen=True, slots=True)
class Again:
    """Try again at this instant (Unix seconds)."""

    at: float


@dataclass(frozen=True, slots=True)
class GivenUp:
    """It is a dead letter, for this reason; `channel`: and so is all that waits behind it for the same receiver."""

    reason: str
    channel: bool = False


def decide(attempts: int, created: float, now: float, error: DeliveryError, message_id: str) -> Again | GivenUp:
    """After `attempts` failures (the one with this error included, so at least 1) of a message of that age."""
    if error.gone:
        return GivenUp(f"{error}: the receiver is gone", channel=True)
    age = now - created
    if age >= PATIENCE and attempts >= LEAST_TRIES:
        return GivenUp(f"not taken in {PATIENCE / HOUR:g} h and {attempts} tries; the last time: {error}")
    at = now + _wait(attempts, age, error) * (1 + JITTER * _share(message_id, attempts))
    deadline = created + PATIENCE
    return Again(min(at, deadline) if now < deadline else at)


def _wait(attempts: int, age: float, error: DeliveryError) -> float:
    if error.after is not None:
        return min(max(error.after, WISH[0]), WISH[1])
    if attempts <= len(FIRST_WAITS) and error.retry:  # what cannot help now may after a reload: no hurry
        return FIRST_WAITS[attempts - 1]
    return next(wait for oldest, wait in PACES if age < oldest)


def _share(message_id: str, attempts: int) -> float:
    """A number in [0, 1) from the message and the attempt."""
    return int.from_bytes(sha256(f"{message_id}/{attempts}".encode()).digest()[:4]) / 2**32
