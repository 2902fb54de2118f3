"""Carries every outbox row to its receiver: at least once, in order per (contract, address), until it says 2xx.

Guarantees: a row is marked only after success, so what is lost between the two is sent again with the same id
and bytes; each pair has one row in flight, so order holds; each address has its own lane, so a receiver that hangs
delays no other. What is given up is a dead letter in the outbox, said loudly, and holds back nothing. A store that
fails for a while ends nothing. Knows no receiver by name and no SQL.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from math import inf

from keeptime.clock import Clock
from keeptime.errors import DeliveryError, StoreError, blame
from keeptime.model.alert import Delivery, Message
from keeptime.model.outcome import Delivered, Failed, GaveUp, Outcome
from keeptime.tell.counters import PairCounters
from keeptime.tell.lanes import Lanes
from keeptime.tell.marking import Marker
from keeptime.tell.message import numbered
from keeptime.tell.ports import InStore, Outbox, ReceiverFactory
from keeptime.tell.refresh import Refresher
from keeptime.tell.retry import LONGEST_WAIT, GivenUp, decide

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds until the store is asked again, where it failed or where what is due is under way."""

BREATH = 3.0
"""While deliveries are under way and nothing new was decided, the outbox is left alone for this many times as long
as reading it took."""

IDLE = 60.0
"""Seconds after which the outbox is looked at though nothing woke us."""

Pair = tuple[str, str]
"""(contract, address id): what order holds for."""


def always(_: Delivery) -> bool:
    """Refresh every alert."""
    return True


def at_any_time() -> bool:
    """Sending is always right."""
    return True


def in_silence(_: Delivery, __: GivenUp) -> Sequence[Message]:
    """Nobody is told of a dead letter."""
    return ()


async def unsaid(_: Delivery, __: DeliveryError) -> None:
    """Nobody hears of a failure."""


class Dispatcher:
    """Start `run()` as a task; `wake()` after a commit; at the end `drain()`, then close the receivers.

    `counters`: by (contract, address id), since start. `problem`: a sentence while the store fails, else "".
    `clock` ages messages; `stamps` is the one that receivers compare theirs with, where that is another.
    `unmarked`: pairs whose receiver took the oldest message, which the store does not know yet.
    `still_told`: is this alert's objective still in a contract, and told to this address? Others are not refreshed.
    `on_given_up`: the messages about a message that is given up; they are stored in the same step.
    `on_failed`: called after the outcome of an attempt that failed was stored.
    `may_send`: asked right before each attempt; while it says no nothing is sent and no row changes.
    `on_marked`: called on the event loop after the outcome of an attempt was stored.
    """

    def __init__(
        self,
        outbox: Outbox,
        receivers: ReceiverFactory,
        clock: Clock,
        in_store: InStore,
        *,
        stamps: Clock | None = None,
        still_told: Callable[[Delivery], bool] = always,
        may_send: Callable[[], bool] = at_any_time,
        on_given_up: Callable[[Delivery, GivenUp], Sequence[Message]] = in_silence,
        on_failed: Callable[[Delivery, DeliveryError], Awaitable[None]] = unsaid,
        on_marked: Callable[[], None] = lambda: None,
    ) -> None:
        self.counters: defaultdict[Pair, PairCounters] = defaultdict(PairCounters)
        self.problem = ""
        self.unmarked: set[Pair] = set()
        self._outbox = outbox
        self._receivers = receivers
        self._clock, self._stamps = clock, stamps or clock
        self._in_store = in_store
        self._marker = Marker(outbox, in_store)
        self._on_given_up, self._on_failed, self._on_marked = on_given_up, on_failed, on_marked
        self._may_send = may_send
        self._woken, self._news = asyncio.Event(), False
        self._ending = False
        self._running = asyncio.Lock()
        self._reading = 0.0
        self._busy: dict[Pair, asyncio.Task[None]] = {}
        self._lanes = Lanes()
        self._refresher = Refresher(outbox, receivers, self._stamps, in_store, self._lanes, still_told, may_send)

    def wake(self) -> None:
        """Something was committed: look at the outbox now. Call it on the event loop."""
        self._news = True
        self._woken.set()

    async def run(self) -> None:
        """Send what is due, for ever, and refresh what fires; returns after `drain` was called."""
        async with self._running:
            refreshing = asyncio.create_task(self._refresher.run(), name="refresh")
            try:
                while not self._ending:
                    await self._rest(await self._round())
            finally:
                refreshing.cancel()
                await asyncio.gather(refreshing, return_exceptions=True)

    async def drain(self, within: float) -> bool:
        """End in order: send what falls due within so many seconds; the rest stays in the outbox.

        Returns whether nothing of that is left. Deliveries in flight at the deadline are given up; they are sent
        again at the next start, with the same id. Nothing can be run after it.
        """
        self._ending = True
        self.wake()
        try:
            async with asyncio.timeout(within), self._running:
                await self._until_nothing_due(self._now() + within)
            return True
        except TimeoutError:
            return False
        finally:
            await self._give_up()

    async def _until_nothing_due(self, deadline: float) -> None:
        while True:
            wait = await self._round()
            if not self._busy and (self._now() + wait > deadline or not self._may_send()):
                return
            await self._rest(wait)

    async def _give_up(self) -> None:
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._marker.flush()

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(min(seconds, IDLE)):
                await self._woken.wait()
        except TimeoutError:
            pass
        if self._busy and not self._news:  # many end at about the same time: look once for all of them
            await asyncio.sleep(BREATH * self._reading)
        self._news = False
        self._woken.clear()

    async def _round(self) -> float:
        """Start every pair whose head is due and that is not busy; seconds until there may be more to do."""
        if not self._may_send():
            return PAUSE
        # A pair that is busy now may be done, and its head stale, by the time that the heads are here.
        busy = set(self._busy)
        try:
            heads, due = await self._due()
        except StoreError as error:
            self._trouble(f"the outbox cannot be read: {error}")
            return PAUSE
        self.problem = ""
        for head in heads:
            if (pair := (head.contract, head.address.id)) not in busy:
                self._start(pair, head)
        return self._wait(due)

    async def _due(self) -> tuple[Sequence[Delivery], float | None]:
        """The heads due now, and when the next one is. Rows of a wall clock that was set back are due now."""
        now, began = self._now(), self._clock.monotonic_ns()
        due = await self._in_store(self._outbox.next_due)
        if due is not None and due - now > LONGEST_WAIT:
            now = due
        heads = await self._in_store(self._outbox.heads, now)
        self._reading = (self._clock.monotonic_ns() - began) / 1e9
        return heads, due

    def _wait(self, due: float | None) -> float:
        """Seconds until the next head is due. One that is past is under way: its end wakes us."""
        if due is None:
            return inf
        wait = due - self._now()
        return wait if wait > 0 else PAUSE

    def _start(self, pair: Pair, head: Delivery) -> None:
        task = asyncio.create_task(self._carry(head), name=f"deliver {head.message_id}")
        self._busy[pair] = task
        task.add_done_callback(lambda _: self._done(pair))

    def _done(self, pair: Pair) -> None:
        self._busy.pop(pair, None)
        self._woken.set()

    async def _carry(self, head: Delivery) -> None:
        """One attempt at one row, and its mark; further ones while the store cannot take that it failed."""
        again: Delivery | None = head
        while again is not None:
            again = await self._attempt(again)

    async def _attempt(self, head: Delivery) -> Delivery | None:
        """The row as it is to be tried again at once; None where the store knows what became of it."""
        counters = self.counters[head.contract, head.address.id]
        try:
            receiver = self._receivers(head.address.kind)
            async with self._lanes.of(head.address, receiver):
                if not self._may_send():
                    return None
                status = await receiver.send(replace(head, body=numbered(head)), self._stamps.wall_ns() / 1e9)
        except DeliveryError as error:
            return await self._failed(head, error, counters)
        except Exception as error:
            log.error("a receiver of kind %s failed in a way it must not: %s", head.address.kind, blame(error))
            return await self._failed(head, DeliveryError(f"a bug of keeptime: {blame(error)}"), counters)
        else:
            now, pair = self._now(), (head.contract, head.address.id)
            counters.success(now - head.created)
            self.unmarked.add(pair)
            await self._mark(Delivered(head.row, now, status))
            self.unmarked.discard(pair)
            return None

    async def _failed(self, head: Delivery, error: DeliveryError, counters: PairCounters) -> Delivery | None:
        counters.failure(str(error))
        now = self._now()
        decision = decide(head.attempts + 1, head.created, now, error, head.message_id)
        if isinstance(decision, GivenUp):
            messages = tuple(self._on_given_up(head, decision))
            outcome = GaveUp(head.row, now, decision.reason, decision.channel, messages)
            counters.given_up += await self._mark(outcome) or 0
            _lament(head, decision)
            stored = True
        else:
            failed = Failed(head.row, now, decision.at, str(error))
            stored = await self._mark(failed, until=decision.at) is not None
        await self._on_failed(head, error)
        return None if stored else replace(head, attempts=head.attempts + 1)

    async def _mark(self, outcome: Outcome, until: float = inf) -> int | None:
        """Store the outcome; a store that cannot take it now is asked again, for the pair must not run ahead.

        None: it could not take it until this instant.
        """
        while True:
            try:
                given_up = await self._marker.mark(outcome)
            except Exception as error:  # whatever it is: the message must not be sent over and over meanwhile
                self._trouble(f"the outcome of a delivery cannot be stored: {error}")
                if self._now() >= until:
                    return None
                await asyncio.sleep(PAUSE)
            else:
                self._on_marked()
                return given_up

    def _trouble(self, sentence: str) -> None:
        if sentence != self.problem:
            log.warning("%s", sentence)
        self.problem = sentence

    def _now(self) -> float:
        return self._clock.wall_ns() / 1e9


def _lament(head: Delivery, decision: GivenUp) -> None:
    """Say in the log that somebody was not told. Names the receiver's kind alone: its URL may be a secret."""
    behind = ", and all that waited behind it" if decision.channel else ""
    log.error(
        "message %s (%s) of contract %s for %s by %s is a dead letter%s: %s; see `keeptime outbox list --dead`",
        *(head.message_id, head.topic, head.contract, head.address.audience, head.address.kind),
        *(behind, decision.reason),
    )
