"""Sends the report of each period that is over to whoever asked for it, through the outbox like everything else.

Guarantees: what is sent of a contract is stored in one step before it goes out, and under ids that are the same for
whoever makes it: a restart, or the other of a pair, sends nothing twice, and what ended while keeptime was not
running is caught up with. The reports are made beside the daemon, in a thread; no tick waits for them.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from keeptime.app.keeper import Kept
from keeptime.app.ports import Store
from keeptime.app.reporting import Absent, Past, past_of
from keeptime.app.reports import Look
from keeptime.contract.calendar import period
from keeptime.contract.regular import ReportForm
from keeptime.contract.reported import Reader, calendars, readers
from keeptime.contract.terms import Contract
from keeptime.errors import KeeptimeError, UsageError
from keeptime.model.alert import Message
from keeptime.model.change import Change
from keeptime.store.sql import Database
from keeptime.tell.ports import InStore
from keeptime.tell.report.given import Given
from keeptime.tell.report.make import concerns, report_of
from keeptime.tell.report.message import compose, report_ids

log = logging.getLogger(__name__)

SETTLED = 60.0
"""Seconds after the end of a period in which what comes late is waited for."""

CAUGHT_UP = 7 * 86_400.0
"""Seconds after its end in which a period's report is still sent: keeptime did not run, or it is asked for only
now. Messages are kept for longer, so that none is sent again."""

PAUSE = 60.0
"""Seconds until it is tried again, where something failed."""

_KNOWN = "SELECT 1 FROM message WHERE message_id = ?"


class RegularReports:
    """A `Companion`. `look`: opens the store to be read; `contracts`: those that are kept now; `woken`: called
    after something was put into the outbox."""

    name = "reports"

    def __init__(
        self,
        look: Look,
        store: Store,
        in_store: InStore,
        contracts: Callable[[], Sequence[Contract]],
        woken: Callable[[], None],
    ) -> None:
        self._look, self._store, self._in_store = look, store, in_store
        self._contracts, self._woken = contracts, woken
        self._seen: Sequence[Contract] | None = None
        self._due, self._now = math.inf, 0.0
        self._wanted = asyncio.Event()

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self.send(self._now)
            except KeeptimeError as error:
                log.warning("reports cannot be sent now, which is tried again: %s", error)
                await asyncio.sleep(PAUSE)
                self._wanted.set()

    async def see(self, kept: Kept, now: float) -> None:
        """A period may be over now, or contracts may have changed."""
        if kept.problem or not kept.verdicts:
            return
        contracts, judged = self._contracts(), next(iter(kept.verdicts.values())).at
        if contracts is self._seen and judged < self._due:
            return
        self._seen, self._due, self._now = contracts, next_due(contracts, judged), now
        if self._due < math.inf:
            self._wanted.set()

    async def send(self, now: float) -> None:
        """Put every report that is due at this instant (Unix seconds) into the outbox, unless it is there. Raises
        KeeptimeError."""
        for contract in self._contracts():
            if not readers(contract):
                continue
            messages = await asyncio.to_thread(due_of, self._look, contract, now)
            if messages:
                await self._in_store(self._store.commit, Change(now, messages=messages))
                log.info("reports decided", extra={"contract": contract.name, "reports": len(messages)})
                self._woken()


def next_due(contracts: Sequence[Contract], judged: float) -> float:
    """When (Unix seconds) a period is over next and its counts are settled, of which somebody gets a report; never
    (infinity) where nobody asks for any. `judged`: until when is judged."""
    ends = (
        period(calendar, judged - SETTLED)[1] + SETTLED
        for contract in contracts
        for each in {reader.wants.each for reader in readers(contract)}
        for calendar in set(calendars(contract, each))
    )
    return min(ends, default=math.inf)


def due_of(look: Look, contract: Contract, now: float) -> tuple[Message, ...]:
    """The reports of this contract that are due and were not decided yet. Blocks; raises KeeptimeError."""
    with look() as db:
        try:
            past = past_of(db, contract.name)
        except Absent:
            return ()
        wanted = {
            name: [each for each in those if not _known(db, contract, name, each)]
            for name, those in _recent(past, contract, now).items()
        }
        given = {name: past.given(name) for name, those in wanted.items() if those}
    return tuple(
        message
        for name, found in given.items()
        if all(stretch.over for stretch in found.stretches)
        for each in wanted[name]
        if _promised(found, each)
        for message in _messages(contract, found, each, past.tick)
    )


def _recent(past: Past, contract: Contract, now: float) -> Mapping[str, list[Reader]]:
    """Names of periods that ended lately, oldest first, each with those who get reports of such ones."""
    lately = [each for each in reversed(past.closed) if now - CAUGHT_UP <= each.until * past.tick <= now]
    units = {each.terms.name: each.terms.unit for each in lately}
    return {name: [each for each in readers(contract) if each.wants.each == unit] for name, unit in units.items()}


def _known(db: Database, contract: Contract, name: str, reader: Reader) -> bool:
    """Was it decided before, for every kind of receiver?"""
    ids = report_ids(contract.name, name, reader)
    return all(db.execute(_KNOWN, (each,)).fetchone() is not None for each in ids)


def _promised(given: Given, reader: Reader) -> bool:
    """Does anything in it concern this reader?"""
    return not reader.consumer or any(concerns(each, reader.consumer) for each in given.stretches)


def _messages(contract: Contract, given: Given, reader: Reader, tick_seconds: float) -> tuple[Message, ...]:
    report = report_of(given, reader.consumer)
    try:
        return compose(contract, report, reader, tick_seconds)
    except UsageError as error:
        log.warning("the report of %s is sent as HTML: %s", contract.name, error)
        as_html = replace(reader, wants=replace(reader.wants, form=ReportForm.HTML))
        return compose(contract, report, as_html, tick_seconds)
