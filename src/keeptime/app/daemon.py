"""The running keeptime: probes → ticks → verdicts → messages, until it is told to end.

Guarantees: it ends in order (probes stop, what was counted is judged and stored, what is due is sent, then the
store is closed); a reload is done whole or leaves everything as it was. Built by `wire`; decides nothing itself.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence

from keeptime.app.auditing import Write
from keeptime.app.beside import Beside
from keeptime.app.companions import Companion
from keeptime.app.counted import Counted
from keeptime.app.deadman import DeadMan, anchored
from keeptime.app.declaring import Orders, StoredDeclaring
from keeptime.app.deliveries import delivery_views
from keeptime.app.explaining import Explaining
from keeptime.app.footing import Right, in_doubt
from keeptime.app.happened import StoreHappened
from keeptime.app.health import health
from keeptime.app.keeper import Keeper, Kept
from keeptime.app.looking import Looking
from keeptime.app.noticing import Noticing
from keeptime.app.operators import Operators
from keeptime.app.own_promise import Measured
from keeptime.app.parts import none_ends
from keeptime.app.passing import Passing
from keeptime.app.past_series import StoredPast
from keeptime.app.picturing import Picture
from keeptime.app.ports import Counting, Fill, Following, ProbeOnce, Prober, Store
from keeptime.app.queues import Queues
from keeptime.app.records import Records
from keeptime.app.reloading import Changed, Read, Reloading
from keeptime.app.reports import Reports
from keeptime.app.silencing import Silencing
from keeptime.app.storing import StoreThread
from keeptime.app.swapping import Swapping
from keeptime.app.taking import Intake
from keeptime.app.tracing import Traced
from keeptime.app.undelivered import Undelivered
from keeptime.app.unsaved import Unsaved, nothing_older
from keeptime.app.view import DeliveryView, Health, Snapshot
from keeptime.clock import SteadyClock
from keeptime.contract.terms import Contract
from keeptime.errors import StoreFailed
from keeptime.model.alert import Delivery, Message
from keeptime.model.key import ObjectiveKey
from keeptime.model.sample import Sample
from keeptime.model.tally import TickRecord
from keeptime.model.verdict import Verdict
from keeptime.tell.audience import still_told
from keeptime.tell.dispatch import Dispatcher
from keeptime.tell.receivers.registry import Receivers
from keeptime.tell.unstored import Unstored

log = logging.getLogger(__name__)

LOOKS_PER_TICK = 20
"""How often in a tick the daemon looks whether one has ended: a verdict is at most a twentieth of a tick late."""

LAST_PROBES = 2.0
LAST_MESSAGES = 5.0
"""Seconds that probes under way, and then messages that are due, are given when keeptime ends."""


class Daemon(Records):
    """Everything that runs. `start`, then `run` until cancelled or `stop`ped; `reload` reads all contracts anew."""

    def __init__(
        self,
        *,
        contracts: Sequence[Contract],
        tick_seconds: float,
        store: Store,
        in_store: StoreThread,
        keeper: Keeper,
        counting: Counting,
        prober: Prober,
        following: Following,
        intake: Intake,
        explaining: Explaining,
        tracing: Traced,
        reports: Reports,
        orders: Orders,
        fill: Fill,
        probe_once: ProbeOnce,
        clock: SteadyClock,
        last_samples: Mapping[str, Sample],
        read: Read,
        right: Right = Right(),  # noqa: B008 - frozen
    ) -> None:
        self.on_told: Callable[[Message], None] = lambda _: None
        self._contracts = tuple(contracts)
        self._in_force, self._tick_seconds = keeper.in_force, tick_seconds
        self._store, self._in_store, self._keeper = store, in_store, keeper
        self._counting, self._prober, self._probe_once = counting, prober, probe_once
        self._following, self.intake = following, intake
        self.explaining, self.tracing, self.reports = explaining, tracing, reports
        self.note_access: Write = lambda at, fields: in_store(store.note_access, at, fields)
        self._looking = Looking(contracts, store, in_store, following, tick_seconds)
        self._clock, self.past = clock, StoredPast(store, in_store, tick_seconds)
        self._noticing = Noticing(clock, prober.troubles, self.tell_operators)
        parts = (in_store, keeper, counting, prober, following, fill)
        self._swapping = Swapping(*parts, self._now, self._adopt, self._tell)
        self._reloading = Reloading(contracts, read, orders.before(self._swapping), self._refused)
        self.declaring = StoredDeclaring(self._reloading, store, in_store, clock, lambda: self._contracts, orders)
        self._receivers = Receivers()
        self._queues = Queues(store, in_store)
        self._operators = Operators(store, in_store, clock, lambda: self._contracts, self.woken)
        self._undelivered = Undelivered(store, in_store, clock, self.woken)
        self.happened = StoreHappened(store, in_store, clock, lambda: self._contracts)
        self.quieting = Silencing(
            store, in_store, keeper, clock, lambda: self._contracts, self.woken, self._operators.tell
        )
        self._dispatcher = Dispatcher(
            store,
            self._receivers,
            clock,
            in_store,
            stamps=right.stamps,
            may_send=right.may_send,
            still_told=self._still_told,
            on_marked=self._queues.moved.set,
            on_given_up=self._operators.of_dead_letter,
            on_failed=self._operators.of_failure,
        )
        who = (lambda: self._contracts, self._operators, self.woken, self._dispatcher.unmarked)
        self._passing = Passing(store, in_store, clock, *who)
        self._measured = Measured(store, in_store, clock, lambda: self._contracts)
        self._dead_man = DeadMan(
            lambda: self._contracts, self.snapshot, self._receivers, clock, anchored(store, in_store)
        )
        self._verdicts: Mapping[ObjectiveKey, Verdict] = {}
        self._counted = Counted()
        self._beside = Beside(lambda: self._in_force, tick_seconds, self.tell_operators)
        self._picture = Picture(prober, following, self._looking, self._counted, self._beside, last_samples)
        self._started, self._pair = self._now(), right.view
        self._companions: tuple[Companion, ...] = ()
        self._judged_at: float | None = None
        self._committed_at: float | None = None
        older = nothing_older(self._queues, lambda: frozenset(self._dispatcher.unmarked), right.view)
        self._unsaved = Unsaved(
            Unstored(self._receivers, clock, older, right.stamps), self._operators, clock, self.quieting.audible
        )
        self._tasks: list[asyncio.Task[None]] = []

    def join(self, *companions: Companion) -> None:
        """These go along, from the start on."""
        self._companions += companions

    @property
    def contracts(self) -> Sequence[Contract]:
        """Those that are kept now, with all their terms."""
        return self._contracts

    async def start(self, url: str = "") -> None:
        """Begin to probe, to judge and to send what an earlier life left unsent. `url`: where it is served."""
        self.url = url.rstrip("/")
        self._prober.start()
        self._following.start()
        self._tasks = [
            asyncio.create_task(self._ticks(), name="ticks"),
            asyncio.create_task(self._dispatcher.run(), name="dispatch"),
            asyncio.create_task(self._queues.run(), name="queues"),
            asyncio.create_task(self.quieting.run(), name="silences"),
            asyncio.create_task(self._dead_man.run(), name="signs of life"),
            asyncio.create_task(self._passing.run(), name="passing on"),
            asyncio.create_task(self._measured.run(), name="own promise"),
            asyncio.create_task(self._noticing.run(), name="noticing"),
            asyncio.create_task(self._swapping.half_way(), name="reload"),
            *(asyncio.create_task(each.run(), name=each.name) for each in self._companions),
        ]
        self._queues.moved.set()

    async def failed(self) -> None:
        """Returns never, unless a part has ended that must run: what ended it is logged. Raises KeeptimeError."""
        await none_ends(self._tasks)

    async def stop(self) -> None:
        """End in order; nothing that was counted or decided is lost."""
        self._looking.close()
        await self._following.stop()
        await asyncio.to_thread(self._prober.stop, LAST_PROBES)
        if self._tasks:
            self._tasks[0].cancel()
            await asyncio.gather(self._tasks[0], return_exceptions=True)
        try:
            await self._last_ticks()
            if not await self._dispatcher.drain(LAST_MESSAGES):
                log.warning("messages that were due are still unsent; they are sent at the next start")
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._receivers.close()
            await self._in_store(self._store.close)
            self._in_store.close()

    async def _last_ticks(self) -> None:
        """What was counted is judged and stored; what the store does not take is told without it."""
        now_ns = self._clock.wall_ns()
        with contextlib.suppress(StoreFailed):  # which ends keeptime anyway
            await self._keep(self._counting.finish(now_ns), now_ns / 1e9)
        await self._unsaved.end(self._keeper.waiting, LAST_MESSAGES if self._pair() is None else 0.0)

    async def reload(self, author: str) -> Changed:
        """Read the contracts again, and go on with them from the next tick on. Raises KeeptimeError where that is
        refused; then the old ones go on."""
        return await self._reloading.reload(author)

    def _adopt(self, contracts: Sequence[Contract]) -> None:
        self._contracts = self._looking.contracts = tuple(contracts)
        self._in_force = self._keeper.in_force

    async def _refused(self, why: str) -> None:
        await self.tell_operators(
            "reload_refused",
            f"the contracts could not be read anew, the old ones go on: {'; '.join(why.splitlines())}",
        )

    def snapshot(self) -> Snapshot:
        """All that can be shown, as of now."""
        counters = self._counting.counters()
        deliveries = delivery_views(
            self._contracts,
            self._dispatcher.counters,
            self._queues.waiting,
            self._queues.dead,
            self._queues.muted,
            self._now(),
        )
        return Snapshot(
            at=self._now(),
            tick_seconds=self._tick_seconds,
            contracts=tuple(self._picture.of(each, self._verdicts, counters) for each in self._in_force),
            silences=tuple(self.quieting.silences),
            acks=self.quieting.acks,
            deliveries=deliveries,
            health=self._health(deliveries),
            engine=self._prober.stats(),
            reload_error=self._reloading.error,
            ledger=self._queues.head,
            signs=self._dead_man.views(),
            passed_on=dict(self._passing.steps),
            pair=self._pair(),
            told=self._measured.told,
        )

    async def look(self) -> None:
        """Bring percentiles and periods up to the newest verdicts."""
        newest = next(iter(self._verdicts.values()), None)
        if newest is not None:
            await self._looking.look(self._in_force, newest.tick + 1)

    async def tell_operators(
        self, code: str, sentence: str, contract: str | None = None, subject: str = ""
    ) -> None:
        """Tell the operators of this contract (None: of all) about keeptime itself; once an hour for each (code,
        subject). Raises nothing: where the store fails, it is told when that works again.
        """
        await self._operators.tell(code, sentence, contract, subject)

    async def probe(self, contract: str) -> Sample:
        """One fresh probe now. Raises KeyError for a contract that is not configured."""
        configured = {each.name: each for each in self._contracts}
        return await asyncio.to_thread(self._probe_once, configured[contract])

    async def _ticks(self) -> None:
        while True:
            await asyncio.sleep(self._tick_seconds / LOOKS_PER_TICK)
            await self._look(self._clock.wall_ns())

    async def _look(self, now_ns: int) -> None:
        """Judge and store the ticks that have ended, then let what was decided be sent."""
        records = self._counting.close(now_ns)
        if records or self._unsaved.problem:
            await self._keep(records, now_ns / 1e9)

    async def _keep(self, records: Sequence[TickRecord], now: float) -> None:
        self._counted.add(records)
        kept = await self._in_store(self._keeper.keep, records, now)
        self._publish(kept, now)
        await self._unsaved.see(kept.problem, kept.waiting)
        await self._beside.add(records)
        for each in self._companions:
            await each.see(kept, now)

    def woken(self) -> None:
        """Something may wait in the outbox."""
        self._dispatcher.wake()
        self._queues.moved.set()

    def _publish(self, kept: Kept, now: float) -> None:
        if kept.verdicts:
            self._verdicts, self._judged_at = kept.verdicts, now
        self._in_force = kept.contracts
        if not kept.problem:
            self._committed_at = now
        self._tell(kept.messages)

    def _tell(self, messages: Sequence[Message]) -> None:
        """These were committed: send them."""
        for message in messages:
            self.on_told(message)
        self.woken()

    def _still_told(self, delivery: Delivery) -> bool:
        """Is it said again and again? Not what is over, nor what the operators are not to hear."""
        wanted = still_told({each.name: each for each in self._in_force}, delivery)
        return wanted and not (self.quieting.mutes(delivery) or self._unsaved.is_over(delivery))

    def _health(self, deliveries: Sequence[DeliveryView]) -> Health:
        spans = (self._started, self._now(), self._judged_at, self._committed_at)
        problems = (self._unsaved.problem, self._dispatcher.problem, in_doubt(self._pair()))
        return health(spans, self._tick_seconds, problems, self._noticing, deliveries)

    def _now(self) -> float:
        return self._clock.wall_ns() / 1e9
