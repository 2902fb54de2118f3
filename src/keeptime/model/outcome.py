"""What became of one attempt to deliver a row of the outbox: what a store is told of it.

Guarantees: frozen; `at` is Unix seconds and the caller's.
"""

from dataclasses import dataclass

from keeptime.model.alert import Message


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver took it (2xx): the row is done. `status` is for people, such as "204"."""

    row: int
    at: float
    status: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It did not; it is tried again at `next_try`. Adds one to the row's attempts."""

    row: int
    at: float
    next_try: float
    error: str


@dataclass(frozen=True, slots=True)
class GaveUp:
    """It did not, for the last time: the row is a dead letter. Adds one to its attempts.

    `channel`: so are all unsent rows of its (contract, address). Then `messages` are put in.
    """

    row: int
    at: float
    error: str
    channel: bool = False
    messages: tuple[Message, ...] = ()


Outcome = Delivered | Failed | GaveUp
