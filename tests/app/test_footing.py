"""A daemon that may not send does not, by whatever part; and says of a pair what it is told of it."""

import asyncio
from functools import partial
from pathlib import Path

from keeptime.app.footing import Footing, Right
from keeptime.app.view import PairView
from keeptime.app.wire import Settings, build
from keeptime.contract.load import load_files
from keeptime.model.alert import Message, Topic
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey
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
        footing = Footing(partial(SqliteStore.open, folder / "data"), right=right)
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
