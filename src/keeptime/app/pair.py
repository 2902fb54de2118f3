"""One of a pair: stands by until the lease is its own, then builds and runs a daemon; steps down when it is lost.

Guarantees: while the lease is not held nothing is sent, and what is written under an old one has no effect; all
state comes from the store when the lead is taken. A database that is away for a while ends nothing: the leader
counts and judges on, and commits what waits if nobody has taken its lease meanwhile. Decides nothing itself.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from keeptime.app.agreed import AgreedClock
from keeptime.app.daemon import Daemon
from keeptime.app.footing import Footing, Right
from keeptime.app.holding import Holding, Pace
from keeptime.app.reading import read_contracts
from keeptime.app.reloading import Changed, changed
from keeptime.app.taking import Intake
from keeptime.app.view import Health, PairView, Snapshot
from keeptime.app.wire import Settings, build
from keeptime.contract.terms import Contract
from keeptime.errors import KeeptimeError, StoreError, StoreFenced
from keeptime.model.alert import Message
from keeptime.model.ledger import Json
from keeptime.store.postgresql.address import Address
from keeptime.store.postgresql.lease import Lease, Seen
from keeptime.store.postgresql.looking import looking_into
from keeptime.store.postgresql.store import PostgresqlStore

log = logging.getLogger(__name__)

FAILING = 2.0
"""Pauses, in renewals, after the database was away or a lead could not be taken: its last leader goes first."""

NOTED = 2.0
"""Seconds that the machine's clock is off the database's before a line in the log says so."""


class Pair:
    """`holder`: this process, under a name that no other has. `show(daemon)`: it leads now; None: it does not."""

    def __init__(
        self,
        contracts: Sequence[Contract],
        settings: Settings,
        address: Address,
        holder: str,
        pace: Pace,
        show: Callable[[Daemon | None], None],
    ) -> None:
        self.on_told: Callable[[Message], None] = lambda _: None
        self._contracts, self._settings, self._address = tuple(contracts), settings, address
        self._holder, self._pace, self._show = holder, pace, show
        self._clock = AgreedClock()
        self._holding = Holding(Lease(address, holder, pace.lease), pace, self._clock)
        self._started = self._now()
        self._daemon: Daemon | None = None
        self._trouble = ""
        self._store: PostgresqlStore | None = None
        self._ending, self._lost = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self, url: str) -> None:
        """Begin to stand by. `url`: where this one shows itself. Raises StoreError where the database cannot be
        had at all: at the start that is a mistake more often than an outage."""
        self._holding.url = url
        await self._holding.look()
        self._started = self._now()
        self._task = asyncio.create_task(self._run(), name="pair")

    async def failed(self) -> None:
        """Returns never, unless leading or standing by has ended. Raises KeeptimeError."""
        assert self._task is not None, "it was started"
        await asyncio.wait({self._task})
        self._task.result()

    async def stop(self) -> None:
        """End in order; the other takes over at once."""
        self._ending.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        self._holding.close()

    async def reload(self, author: str) -> Changed:
        """Read the contracts again. Standing by they are kept for when it leads. Raises KeeptimeError."""
        if self._daemon is not None:
            return await self._daemon.reload(author)
        fresh = await asyncio.to_thread(self._read)
        done = changed(self._contracts, fresh)
        self._contracts = tuple(fresh)
        log.info("contracts read again", extra={"contracts": len(fresh), "by": author, "what": str(done)})
        return done

    async def note_access(self, at: float, fields: Mapping[str, Json]) -> None:
        """Into the ledger, which the leader alone writes."""
        if self._daemon is not None:
            await self._daemon.note_access(at, fields)

    def view(self) -> PairView:
        """Who leads, as far as this one knows."""
        seen, held, leads = self._holding.seen, self._holding.held, self._daemon is not None
        problem = self._trouble or self._holding.problem
        if leads and not held and not problem:
            problem = "the lease has run out; nothing is sent until it is renewed"
        if seen is None or (seen.over and not leads):
            return PairView(leads, held, "", "", 0.0, seen.term if seen else 0, problem)
        return PairView(leads, held, seen.holder, seen.url, seen.since, seen.term, problem)

    @property
    def intake(self) -> Intake | None:
        """The leader's; None while this one stands by."""
        return None if self._daemon is None else self._daemon.intake

    def snapshot(self) -> Snapshot:
        """The daemon's; standing by there is nothing to show but that."""
        if self._daemon is not None:
            return self._daemon.snapshot()
        now, view = self._now(), self.view()
        problems = (view.problem,) if view.problem else ()
        health = Health(self._started, now, now, None, problems)
        return Snapshot(now, self._settings.tick_seconds, (), (), health, pair=view)

    async def _run(self) -> None:
        while not self._ending.is_set():
            held = await self._stand_by()
            if held is not None:
                await self._hold(held)

    async def _stand_by(self) -> Seen | None:
        """Until the lease is this one's; None: to end."""
        log.info("standing by", extra={"store": self._holding.where})
        pause, away = 0.0, False
        while not await self._ends_within(pause):
            pause = self._pace.look
            try:
                seen = await self._holding.look()
                if away:  # its last leader goes first
                    away, pause = False, FAILING * self._pace.renew
                elif seen.over and (held := await self._holding.take(seen)) is not None:
                    return held
            except StoreError:  # the holding has said so
                away = True
        return None

    async def _hold(self, held: Seen) -> None:
        """Lead for as long as the lease is held."""
        self._lost.clear()
        renewing = asyncio.create_task(self._renew(held.term), name="lease")
        log.info("leading", extra={"term": held.term, "store": self._holding.where})
        if abs(off := self._clock.machine_ahead()) > NOTED:
            log.warning("this machine's clock is %+.0f s off the database's, by which a pair goes", off)
        try:
            await self._lead(held.term)
        except StoreError as error:
            self._say(f"the lead could not be taken: {error}")
            if not error.retry and not isinstance(error, StoreFenced):
                raise
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await self._holding.release(held.term)
        if self._trouble:
            await self._ends_within(FAILING * self._pace.renew)

    async def _lead(self, term: int) -> None:
        daemon = await build(await self._newest(), self._settings, self._footing(term))
        daemon.on_told = lambda message: self.on_told(message)
        try:
            if not self._lost.is_set():
                await daemon.start()
                self._daemon, self._trouble = daemon, ""
                self._show(daemon)
                await self._until_over(daemon)
        finally:
            self._daemon = None
            self._show(None)
            await daemon.stop()

    async def _until_over(self, daemon: Daemon) -> None:
        """Raises KeeptimeError where a part of the daemon has failed."""
        failed = asyncio.create_task(daemon.failed())
        waiting = [asyncio.create_task(event.wait()) for event in (self._lost, self._ending)]
        await asyncio.wait({failed, *waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if failed.done():
            failed.result()
        failed.cancel()

    def _footing(self, term: int) -> Footing:
        def opened(*, tick_seconds: float, now: float) -> PostgresqlStore:
            self._store = PostgresqlStore.open(
                self._address, name=self._holder, term=term, tick_seconds=tick_seconds, now=now
            )
            return self._store

        look = partial(looking_into, self._address)
        return Footing(opened, look, self._clock, Right(lambda: self._holding.held, self.view, self._clock))

    async def _renew(self, term: int) -> None:
        """Until another has the lease. While the database is away it is asked for again and again."""
        while True:
            await asyncio.sleep(self._pace.look if self._holding.problem else self._pace.renew)
            with contextlib.suppress(StoreError):
                if await self._holding.renew(term) is None:
                    break
                continue
            if self._store is not None and not self._holding.held:
                self._store.interrupt()
        log.error("another keeptime leads now; this one stands by", extra={"term": term})
        if self._store is not None:
            self._store.cut("another keeptime leads now")
        self._lost.set()

    async def _newest(self) -> tuple[Contract, ...]:
        """The contracts as they are written now, else as they were last valid."""
        try:
            self._contracts = tuple(await asyncio.to_thread(self._read))
        except KeeptimeError as error:
            log.error("the contracts cannot be read; it goes on with those from before: %s", error)
        return self._contracts

    def _read(self) -> Sequence[Contract]:
        return read_contracts(self._settings.paths, self._settings.tick_seconds)

    async def _ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        return self._ending.is_set()

    def _say(self, sentence: str) -> None:
        if sentence != self._trouble:
            log.error("%s", sentence)
        self._trouble = sentence

    def _now(self) -> float:
        return self._clock.wall_ns() / 1e9
