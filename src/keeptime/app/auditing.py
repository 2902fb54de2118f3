"""Who was refused, and who changed what: counted all, logged and kept in the ledger as far as that fills no disk.

Guarantees: never delays an answer and never fails one; at most so many rows an hour, however often somebody is
refused; how many were not written stands in the next row. Knows nothing of HTTP beyond what it is told.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from keeptime.clock import Clock
from keeptime.errors import StoreError
from keeptime.model.ledger import Json

log = logging.getLogger(__name__)

BURST = 60
PER_HOUR = 240
"""Rows that are written at once and in the long run: some 2 MB a day at worst."""

PENDING = 32
"""Rows that wait for the store at most."""

Write = Callable[[float, Mapping[str, Json]], Awaitable[object]]


async def nowhere(_at: float, _fields: Mapping[str, Json]) -> None:
    """Keeps nothing."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody wanted something. `client`: an address; `token`: its name, or ""."""

    client: str
    method: str
    path: str
    token: str
    status: int
    reason: str

    def fields(self, unwritten: int) -> dict[str, Json]:
        return {
            "client": self.client,
            "method": self.method[:16],
            "path": self.path[:200],
            "token": self.token,
            "status": self.status,
            "reason": self.reason,
            "unwritten": unwritten,
        }


@dataclass(slots=True)
class Audit:
    """`write` appends a row to the ledger. `refused` counts refusals by their reason."""

    clock: Clock
    write: Write = nowhere
    refused: Counter[str] = field(default_factory=Counter)
    _left: float = BURST
    _at_ns: int = 0
    _unwritten: int = 0
    _writing: set[asyncio.Task[None]] = field(default_factory=set)

    def note_refused(self, attempt: Attempt) -> None:
        """Counted; 401 and 403 are also written."""
        self.refused[attempt.reason] += 1
        if attempt.status in (401, 403):
            self._note(attempt, logging.WARNING, "refused")

    def note_changed(self, attempt: Attempt) -> None:
        """A change that somebody with a token was let in for."""
        self._note(attempt, logging.INFO, "let in")

    def _note(self, attempt: Attempt, level: int, said: str) -> None:
        if not self._may_write():
            self._unwritten += 1
            return
        fields = attempt.fields(self._unwritten)
        self._unwritten = 0
        log.log(level, said, extra=fields)
        task = asyncio.get_running_loop().create_task(self._keep(self.clock.wall_ns() / 1e9, fields))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def _keep(self, at: float, fields: Mapping[str, Json]) -> None:
        try:
            await self.write(at, fields)
        except (StoreError, RuntimeError) as error:  # RuntimeError: the store's thread has ended
            log.warning("the ledger has no row of this: %s", error)

    def _may_write(self) -> bool:
        now = self.clock.monotonic_ns()
        gained = (now - self._at_ns) / 1e9 * PER_HOUR / 3600 if self._at_ns else 0.0
        self._left, self._at_ns = min(float(BURST), self._left + gained), now
        if self._left < 1 or len(self._writing) >= PENDING:
            return False
        self._left -= 1
        return True
