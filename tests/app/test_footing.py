"""A daemon that may not send does not, by whatever part; and says of a pair what it is told of it."""

import asyncio
from functools import partial
from pathlib import Path

from keeptime.app.daemon import LAST_MESSAGES
from keeptime.app.footing import Footing, Right
from keeptime.app.view import PairView
from keeptime.app.wire import Settings, build
from keeptime.contract.load import load_files
from keeptime.errors import StoreFenced
from keeptime.model.alert import Message, Topic
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey
from keeptime.store.looking import looking_at
from keeptime.store.sqlite import SqliteStore
from keeptime.testing.recorder import recording
from tests.app.test_dead_letters import TERMS
from tests.nobody import nobody_listening

LEADS = PairView(True, False, "me", "http://me", 0.0, 3, "the lease has run out")


async def story(folder: Path, port: int) -> None:
    may_send = asyncio.Event()
    async with recording() as hook:
        file = folder / "kept.yaml"
        file.write_text(TERMS.format(port=port, hook=hook.url))
        contracts = load_files([str(file)]).contracts
        (address,) = contracts[0].consumers[0].tell
        body = b'{"objective":{"name":"p90"}}'
        message = Message("m1", ObjectiveKey("kept", "p90"), Topic.BROKEN, 1, body, (address,))
        with SqliteStore.open(folder / "data", tick_seconds=10.0, now=1000.0) as store:
            store.commit(Change(1000.0, messages=(message,)))
        right = Right(may_send.is_set, lambda: LEADS)
        footing = Footing(
            partial(SqliteStore.open, folder / "data"), partial(looking_at, folder / "data"), right=right
        )
        daemon = await build(contracts, Settings(folder / "data", 10.0), footing)
        await daemon.start()
        try:
            await asyncio.sleep(2.5)
            assert hook.requests == []
            assert daemon.snapshot().pair == LEADS
            assert "the lease has run out" in daemon.snapshot().health.problems
            may_send.set()
            await hook.wait_for(1)
        finally:
            await daemon.stop()


def test_without_the_right_nothing_is_sent_and_with_it_what_waits_is(tmp_path: Path) -> None:
    with nobody_listening() as port:
        asyncio.run(story(tmp_path, port))


class Fenced(SqliteStore):
    """Of one that another leads on."""

    def commit(self, change: Change) -> None:
        raise StoreFenced(f"another keeptime leads now; nothing of {change.at} was written")


async def stepping_down(folder: Path, port: int) -> float:
    """Seconds that it took."""
    file = folder / "kept.yaml"
    file.write_text(TERMS.format(port=port, hook="http://127.0.0.1:9/") + "operators: {tell: ['log:']}\n")
    footing = Footing(
        partial(Fenced.open, folder / "data"),
        partial(looking_at, folder / "data"),
        right=Right(lambda: False, lambda: LEADS),
    )
    daemon = await build(load_files([str(file)]).contracts, Settings(folder / "data", 10.0), footing)
    await daemon.start()
    await daemon.tell_operators("store", "it takes nothing")
    assert daemon._operators.waiting
    began = asyncio.get_running_loop().time()
    await daemon.stop()
    return asyncio.get_running_loop().time() - began


def test_one_of_a_pair_steps_down_at_once_for_it_tells_nothing_that_is_not_stored(tmp_path: Path) -> None:
    with nobody_listening() as port:
        assert asyncio.run(stepping_down(tmp_path, port)) < LAST_MESSAGES
