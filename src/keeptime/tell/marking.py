"""Stores what became of deliveries; what comes while one commit is under way is committed together by the next.

Guarantees: an outcome is durable when `mark` returns; one that comes alone waits for nothing; one that the store
cannot take keeps back no other. Knows no SQL and no receiver.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.errors import StoreError
from keeptime.model.outcome import Outcome
from keeptime.tell.ports import InStore, Outbox

MOST = 500
"""Outcomes in one commit, so that none is long."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    outcome: Outcome
    done: "asyncio.Future[int]"


class Marker:
    """On one event loop."""

    def __init__(self, outbox: Outbox, in_store: InStore) -> None:
        self._outbox, self._in_store = outbox, in_store
        self._waiting: list[_Waiting] = []
        self._committing = False
        self._task: asyncio.Task[None] | None = None

    async def mark(self, outcome: Outcome) -> int:
        """Store it; how many rows became dead letters. Raises what the store raises; then nothing was stored."""
        if self._committing:
            waiting = _Waiting(outcome, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            return await waiting.done
        self._committing = True
        try:
            return (await self._in_store(self._outbox.mark, (outcome,)))[0]
        finally:
            self._go_on()

    async def flush(self) -> None:
        """Until nothing waits."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def _go_on(self) -> None:
        """After a commit: the next one has all that came meanwhile."""
        self._committing = bool(self._waiting)
        self._task = asyncio.create_task(self._commit_waiting(), name="mark") if self._waiting else None

    async def _commit_waiting(self) -> None:
        batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            await self._commit(batch)
        finally:
            self._go_on()

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        try:
            given_up = await self._in_store(self._outbox.mark, tuple(each.outcome for each in batch))
        except Exception as error:
            if len(batch) > 1 and not (isinstance(error, StoreError) and error.retry):
                for each in batch:  # one of them is not to be stored: it must not keep back the others
                    await self._commit([each])
                return
            for each in batch:
                if not each.done.done():
                    each.done.set_exception(error)
        else:
            for each, count in zip(batch, given_up, strict=True):
                if not each.done.done():
                    each.done.set_result(count)
