"""The ledger's values: one row per event that can be proven, and the head that whoever keeps it holds as an anchor.

Guarantees: a head is written `SEQ:HASH` and read back as such, or refused. Knows neither hashes nor databases.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

Json = Mapping[str, "Json"] | Sequence["Json"] | str | float | int | bool | None

_HEAD = re.compile("([0-9]{1,15}):([0-9a-f]{64})", re.ASCII)


class LedgerKind(StrEnum):
    """What a row says has happened."""

    DECISION = "decision"
    DELIVERY = "delivery"
    DEAD_LETTER = "dead_letter"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    SILENCE = "silence"
    SILENCE_ENDED = "silence_ended"
    ACK = "ack"
    EVENT = "event"
    EXCLUSION = "exclusion"
    EXCLUSION_DECLARED = "exclusion_declared"
    EXCLUSION_ENDED = "exclusion_ended"
    CONTRACT = "contract"
    WITHDRAWN = "withdrawn"
    ESCALATION = "escalation"
    EPOCH = "epoch"
    ACCESS = "access"


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """`seq`: 1, 2, 3, …; `at`: Unix seconds; `contract`: "" of none; `previous`, `hash`: 64 hex digits."""

    seq: int
    at: float
    kind: str
    contract: str
    fields: Mapping[str, Json]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """The newest row's number and hash; of an empty ledger 0 and 64 noughts."""

    seq: int = 0
    hash: str = "0" * 64

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def read(cls, text: str) -> "LedgerHead":
        """Raises ValueError."""
        if (found := _HEAD.fullmatch(text)) is None:
            raise ValueError(f"'{text}' is no anchor; expected SEQ:HASH, a number and 64 hex digits")
        return cls(int(found[1]), found[2])


EMPTY = LedgerHead()
"""Of a ledger without rows."""


@dataclass(frozen=True, slots=True)
class LedgerQuery:
    """Which rows are wanted, at most so many, oldest first: those after row `after`, or (None) the newest ones, of
    those before row `before` where that is given.

    `kind`, `contract`: "" of any; `since`: Unix seconds, None from the beginning.
    """

    after: int | None = None
    kind: str = ""
    contract: str = ""
    since: float | None = None
    most: int = 100
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a ledger. `seq`: the first row that is not what it was, or 0 where it is about none."""

    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class Verified:
    """`rows`, `head`: how far the chain is whole. `fault`: where it breaks; None where it does not.

    `differences`: where it is whole, but the store says something else than it does.
    """

    rows: int
    head: LedgerHead
    fault: Fault | None = None
    differences: tuple[Fault, ...] = ()

    @property
    def sound(self) -> bool:
        return self.fault is None and not self.differences
