"""When a message is tried again: a table, a little jitter, and the receiver's own wish.

Guarantees: the waits grow to a minute and stay there, for ever; the same message and attempt give the same instant
on every machine (the jitter comes from the id), and different messages do not come back all at once. Pure.
"""

from hashlib import sha256

WAITS = (1.0, 5.0, 15.0, 30.0, 60.0)
"""Seconds from the n-th failure to the next try; the last one repeats. The first try comes at once."""

JITTER = 0.2
"""A wait is made longer by up to this share of itself."""

SLOWEST = WAITS[-1]
LONGEST_WAIT = SLOWEST * (1 + JITTER)
"""No wait is longer, in seconds. A row due later than this from now was written under another wall clock."""

WISH = (1.0, SLOWEST)
"""A receiver's Retry-After is honoured within these seconds."""


def next_try(attempts: int, now: float, after: float | None, message_id: str, *, hopeless: bool = False) -> float:
    """Unix seconds of the next try, after `attempts` failures (this one included, so at least 1).

    `after`: what the receiver asked for in seconds; None: nothing. `hopeless`: the receiver says that trying again
    cannot help, so it is tried at the slowest pace: what cannot help today may after a reload.
    """
    if after is not None:
        wait = min(max(after, WISH[0]), WISH[1])
    elif hopeless:
        wait = SLOWEST
    else:
        wait = WAITS[min(attempts, len(WAITS)) - 1]
    return now + wait * (1 + JITTER * _share(message_id, attempts))


def _share(message_id: str, attempts: int) -> float:
    """A number in [0, 1) from the message and the attempt."""
    return int.from_bytes(sha256(f"{message_id}/{attempts}".encode()).digest()[:4]) / 2**32
