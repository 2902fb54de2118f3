"""A child process that can be killed: judges one scripted condition per step, stores it, and tells of it.

    python -m tests.tell.teller DIRECTORY URL STEPS

Step k has the condition of SCRIPT[k % len(SCRIPT)]; the store remembers where it was. Ends when all was delivered.
"""

import asyncio
import sys
from pathlib import Path

from keeptime.clock import SystemClock
from keeptime.model.alert import Address
from keeptime.model.change import Change
from keeptime.store.sqlite import SqliteStore
from keeptime.tell.announce import announce
from keeptime.tell.dispatch import Dispatcher
from keeptime.tell.receivers.registry import Receivers
from keeptime.testing.outbox import in_place
from tests.tell.given import BROKEN, NO_DATA, OBJECTIVE, OK, PAGE, contract, tell_of, verdict

SCRIPT = (OK, PAGE, BROKEN, BROKEN, NO_DATA, BROKEN, PAGE, OK)
FIRST = 180_000_000


def expected(url: str, steps: int) -> list[str]:
    """The ids that a consumer must have in the end, in order."""
    terms = contract(Address("checkout", "webhook", url))
    return [message.id for message in tell_of(terms, (SCRIPT[k % len(SCRIPT)] for k in range(steps)), FIRST)]


async def live(store: SqliteStore, url: str, steps: int) -> None:
    terms = contract(Address("checkout", "webhook", url))
    clock = SystemClock()
    receivers = Receivers()
    dispatcher = Dispatcher(store, receivers, clock, in_place)
    running = asyncio.create_task(dispatcher.run())
    for k in range(int(store.memory().get("steps", b"0")), steps):
        told = announce(
            terms, OBJECTIVE, verdict(SCRIPT[k % len(SCRIPT)], FIRST + k), store.alerts().get(terms.key(OBJECTIVE))
        )
        messages = () if told.message is None else (told.message,)
        alerts = (told.row,) if told.changed else ()
        store.commit(
            Change(clock.wall_ns() / 1e9, memory={"steps": b"%d" % (k + 1)}, alerts=alerts, messages=messages)
        )
        dispatcher.wake()
        await asyncio.sleep(0.003)
    while store.next_due() is not None:
        await asyncio.sleep(0.01)
    await dispatcher.drain(5.0)
    await running
    await receivers.close()


if __name__ == "__main__":
    with SqliteStore.open(Path(sys.argv[1]), tick_seconds=10.0, now=SystemClock().wall_ns() / 1e9) as opened:
        asyncio.run(live(opened, sys.argv[2], int(sys.argv[3])))
