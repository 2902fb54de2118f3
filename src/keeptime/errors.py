"""Every error that keeptime raises on purpose, as one tree.

An error says where, what was given, what was expected, and whether trying again helps. The command line
prints these as one clear line; anything else that escapes is a bug of keeptime.

    KeeptimeError
    ├── UsageError         the command was called wrongly                     exit code 2
    ├── ContractError      one or more problems in contract files, all at once  exit code 1
    ├── SecretError        an env:NAME or file:PATH reference gives no value
    ├── ProbeError         a probe could not even be attempted as configured
    ├── SourceError        series of a Prometheus cannot be read              try again later
    │   └── SourceCapped   there are more of them than keeptime keeps
    ├── StoreError         the store cannot be used
    │   ├── StoreBusy      another daemon holds it                            try again later
    │   ├── StoreUnavailable  disk full, I/O error, locked: nothing was changed  try again later
    │   ├── StoreFenced    another daemon of a pair leads now: nothing was written
    │   ├── StoreFailed    the disk loses what is written: nothing more is, and keeptime ends
    │   └── StoreDamaged   it is not what was written; the file is kept as it is
    ├── DeliveryError      a receiver did not take a message (says whether to retry)
    └── MessageRefused     what a consumer was sent is not a message to believe  (says why)
"""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from keeptime.redaction import redact


class KeeptimeError(Exception):
    """The root of the tree; `str()` of it is fit to show a person: no secret's value is in it, whoever said it."""

    def __init__(self, *words: object) -> None:
        super().__init__(*(redact(each) if isinstance(each, str) else each for each in words))


class UsageError(KeeptimeError):
    """A command or a function was called in a way that cannot mean anything."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in a contract file: its place, and a message with what was given and expected.

    `line` and `column` count from 1; `code` is a stable slug such as `unknown-key`.
    """

    file: str
    line: int
    column: int
    severity: Literal["error", "warning"]
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message} [{self.code}]"


class ContractError(KeeptimeError):
    """A contract cannot be used; holds every problem found, warnings too."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class SecretError(KeeptimeError):
    """A secret reference has no value. Names the reference, never the value."""


class TokenError(KeeptimeError):
    """The tokens cannot be read or changed as asked. Holds no token."""


class ProbeError(KeeptimeError):
    """A probe cannot be attempted as configured (for example an unreadable CA file)."""


class SourceError(KeeptimeError):
    """The series that a contract is observed by cannot be read now. Names no URL and no secret."""


class SourceCapped(SourceError):
    """There are more series, or more bytes of them, than keeptime reads; none is counted."""


class StoreError(KeeptimeError):
    """The store cannot be opened, read or written. `retry`: trying the same again can help later."""

    retry = False


class StoreBusy(StoreError):
    """Another daemon owns this store; trying again helps once it has ended."""

    retry = True


class StoreUnavailable(StoreError):
    """The disk is full, failed or locked. Nothing was changed; trying again helps once the cause is gone."""

    retry = True


class StoreFenced(StoreError):
    """This daemon of a pair does not lead any more. Nothing was written; as the leader it can try again."""


class StoreFailed(StoreError):
    """Syncing to the disk failed again. What was written may be lost though it reads well, so nothing more is
    written: only a new start, which reads from the disk, can go on."""


class StoreDamaged(StoreError):
    """The store's file is not what keeptime wrote; it is left untouched."""


class DeliveryError(KeeptimeError):
    """A receiver did not take a message.

    `retry` is False only where trying again can never help; `after` is the receiver's own wish in seconds; `gone`:
    the receiver says that it is there no more and wants nothing (410); `clock`: a sentence where its clock and ours
    differ so much that it refuses what is sent, else "".
    """

    def __init__(
        self, message: str, *, retry: bool = True, after: float | None = None, gone: bool = False, clock: str = ""
    ) -> None:
        self.retry = retry
        self.after = after
        self.gone = gone
        self.clock = clock
        super().__init__(message)


class MessageRefused(KeeptimeError):
    """What came to a consumer's receiver is not believed. Nothing of the secret is in it.

    `why`: `malformed` (no headers, no JSON, fields of a wrong type), `too_large`, `signature` (missing, or by
    nobody who knows a secret), `stale` (signed too long ago or in the future: a replay, or a clock is wrong).
    """

    def __init__(self, why: Literal["malformed", "too_large", "signature", "stale"], message: str) -> None:
        self.why = why
        super().__init__(message)


def blame(error: Exception) -> str:
    """Names a bug without quoting its text, which may hold a secret: "KeyError in send (webhook.py:28)"."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    last = frames[-1]
    return f"{type(error).__name__} in {last.name} ({last.filename.rpartition('/')[2]}:{last.lineno})"
