"""A dispatcher at work on an outbox in memory, for as long as a block runs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from keeptime.clock import SystemClock
from keeptime.tell.dispatch import Dispatcher
from keeptime.tell.ports import Outbox, Receiver
from keeptime.tell.receivers.alertmanager import AlertmanagerReceiver
from keeptime.tell.receivers.log import LogReceiver
from keeptime.tell.receivers.registry import Receivers
from keeptime.tell.receivers.webhook import WebhookReceiver
from keeptime.testing.outbox import in_place

QUICK: Mapping[str, Callable[[], Receiver]] = {
    "alertmanager": lambda: AlertmanagerReceiver(timeout=2.0, refresh_every=0.4),
    "log": LogReceiver,
    "webhook": lambda: WebhookReceiver(timeout=0.4),
}


def seconds() -> float:
    return SystemClock().wall_ns() / 1e9


@asynccontextmanager
async def dispatching(
    outbox: Outbox, kinds: Mapping[str, Callable[[], Receiver]] = QUICK
) -> AsyncIterator[Dispatcher]:
    """A running dispatcher; cut off at the end of the block, as a kill would."""
    receivers = Receivers(kinds)
    dispatcher = Dispatcher(outbox, receivers, SystemClock(), in_place)
    running = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher
    finally:
        running.cancel()
        await dispatcher.drain(0)
        await asyncio.gather(running, return_exceptions=True)
        await receivers.close()


async def until(true: Callable[[], bool], within: float = 20.0) -> None:
    """Until a condition holds; fails the test by TimeoutError if it does not."""
    async with asyncio.timeout(within):
        while not true():
            await asyncio.sleep(0.005)
