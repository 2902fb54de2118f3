"""Where a message stands among those of one contract to one receiver (its route), so that nothing is lost unseen.

Guarantees: of one route no (epoch, sequence) is ever used twice, for every start of a daemon is an epoch of its
own; a sequence goes on by one from message to message, across epochs too.
"""

from dataclasses import dataclass

MOST_NAMED = 10
"""Ids of missing messages that one message names at most."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The last message that a receiver took."""

    epoch: str
    sequence: int
    message_id: str


@dataclass(frozen=True, slots=True)
class Numbers:
    """`previous_id`: the message before it on this route, None where it is the first. `missing`: how many messages
    of the route were given up since the one before; `missing_ids`: the oldest of them.
    """

    epoch: str
    sequence: int
    previous_id: str | None = None
    missing: int = 0
    missing_ids: tuple[str, ...] = ()
