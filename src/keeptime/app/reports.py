"""Reports for whoever asks the running daemon, made beside it from what is in its store.

Guarantees: the same store gives the same bytes as `keeptime report`; the store is read over a connection of its
own, in a thread, one report at a time, so no tick waits for it. Who asks while too many wait is told to come again.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from keeptime.app.happened import Unknown
from keeptime.app.quieting import Impossible
from keeptime.app.reporting import Absent, past_of
from keeptime.errors import KeeptimeError, StoreError
from keeptime.model.compliance import Compliance
from keeptime.store.sql import Database
from keeptime.tell.report.formats import render
from keeptime.tell.report.make import report_of

Look = Callable[[], AbstractContextManager[Database]]
"""Opens the store to be read alone, in any thread. Raises StoreError."""

MOST_WAITING = 8
"""Reports that are asked for at once; one is made, the others wait."""


class Busy(KeeptimeError):
    """Too many ask at once; trying again in a second helps."""


@dataclass(frozen=True, slots=True)
class MadeReport:
    """In one of the forms of `tell.report.formats`. `state`: of all that is in it."""

    body: bytes
    state: Compliance


class Reports(Protocol):
    """What web needs of it; `keeptime.testing` ships a fake."""

    async def report(self, contract: str, period: str, consumer: str, form: str) -> MadeReport:
        """For this consumer, "" for the provider. Raises Unknown, Impossible, Busy and StoreError."""
        ...


class StoredReports:
    """The running daemon's `Reports`."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._one_at_a_time = asyncio.Semaphore(1)
        self._asked = 0

    async def report(self, contract: str, period: str, consumer: str, form: str) -> MadeReport:
        if self._asked >= MOST_WAITING:
            raise Busy(f"{MOST_WAITING} reports are being made; come again in a second")
        self._asked += 1
        try:
            async with self._one_at_a_time:
                return await asyncio.to_thread(self._made, contract, period, consumer, form)
        except Absent as error:
            raise Unknown(error.why) from None
        except StoreError:
            raise
        except KeeptimeError as error:
            raise Impossible(str(error)) from None
        finally:
            self._asked -= 1

    def _made(self, contract: str, period: str, consumer: str, form: str) -> MadeReport:
        with self._look() as db:
            given = past_of(db, contract).given(period, consumer)
        report = report_of(given, consumer)
        return MadeReport(render(report, form), report.state)
