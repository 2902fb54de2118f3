"""A receiver that fails for a while, on time that jumps: the dispatcher, the store, the sockets and TLS are real.

Hours pass in seconds: the loop's clock jumps once nothing has come for a few milliseconds. What is decided then
goes through the store as in life. The receiver is found by env:HOOK, which the test points elsewhere.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from keeptime.app.operators import Operators
from keeptime.contract.terms import Contract
from keeptime.model.alert import Address
from keeptime.model.change import Change
from keeptime.store.sqlite import SqliteStore
from keeptime.tell.dispatch import Dispatcher
from keeptime.tell.receivers.registry import Receivers
from keeptime.testing.outbox import in_place
from keeptime.testing.recorder import Answer, Recorder, recording
from keeptime.testing.virtual import VirtualClock, VirtualLoop
from tests.observe.servers import Authority
from tests.tell.given import NOW, Case, contract, tell_of

QUIET = 0.005
HOOK = Address("checkout", "webhook", "env:HOOK")
OTHER = Address("reports", "webhook", "env:OTHER")


class Stage:
    """A dispatcher at work on a store. `decide` at any time. `contracts`: whose operators hear of dead letters."""

    def __init__(self, store: SqliteStore, clock: VirtualClock) -> None:
        self.store, self.clock = store, clock
        self.receivers = Receivers()
        self.contracts: tuple[Contract, ...] = ()
        self.operators = Operators(store, in_place, clock, lambda: self.contracts, lambda: self.dispatcher.wake())
        self.dispatcher = Dispatcher(
            store, self.receivers, clock, in_place, on_given_up=self.operators.of_dead_letter
        )

    def decide(
        self,
        *cases: Case,
        to: Sequence[Address] = (HOOK,),
        name: str = "sentiment-latency",
        first_tick: int = 180_000_000,
    ) -> list[str]:
        """Commit what an objective goes through; the ids of the messages."""
        messages = tell_of(contract(operators=to, name=name), cases, first_tick)
        for message in messages:
            self.store.commit(Change(self.clock.wall_ns() / 1e9, messages=(message,)))
        self.dispatcher.wake()
        return [each.id for each in messages]

    def sleep(self, seconds: float) -> None:
        """The machine sleeps: time passes and nothing is done."""
        self.clock.start += seconds


ASLEEP = [pytest.param(71.8 * 3600.0, id="asleep"), pytest.param(0.0, id="awake", marks=pytest.mark.soak)]
"""Of 72 hours: how many the machine sleeps. Awake it tries all the time, which takes minutes of real time."""

Story = Callable[[Stage, Recorder], Coroutine[None, None, None]]


def play(folder: Path, story: Story, begins: float = NOW) -> Recorder:
    """Run it with a sound receiver at hand; what that one got. `begins`: Unix seconds."""
    loop = VirtualLoop(QUIET)
    clock = VirtualClock(loop, begins)

    async def whole() -> Recorder:
        with SqliteStore.open(folder, tick_seconds=10.0, now=begins) as store:
            async with recording() as sound:
                stage = Stage(store, clock)
                running = asyncio.create_task(stage.dispatcher.run())
                await story(stage, sound)
                running.cancel()
                await stage.dispatcher.drain(0)
                await asyncio.gather(running, return_exceptions=True)
                await stage.receivers.close()
                return sound

    try:
        return loop.run_until_complete(whole())
    finally:
        loop.close()


def told(recorder: Recorder) -> list[str]:
    """Ids in order of arrival, repeats dropped; of one id every body must be the same."""
    bodies: dict[str, set[bytes]] = {}
    for request in recorder.requests:
        bodies.setdefault(request.headers["webhook-id"], set()).add(request.body)
    assert all(len(each) == 1 for each in bodies.values()), "a repeat had another body"
    return list(bodies)


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[str]:
    """The URL of a receiver that answers so, always."""
    async with recording(otherwise=answer) as broken:
        yield broken.url


@asynccontextmanager
async def expired(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The URL of a receiver whose certificate, by an authority that is believed, has expired."""
    folder.mkdir()
    authority = Authority(folder)
    certificate = authority.issue("old", "127.0.0.1", days=-1)
    monkeypatch.setenv("SSL_CERT_FILE", authority.file)

    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0, ssl=certificate.server())
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        server.close()
