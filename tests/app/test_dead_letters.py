"""A daemon that starts on a store with dead letters says so at once, and sends them again when it is told to."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from keeptime.app.wire import Settings, build
from keeptime.contract.load import load_files
from keeptime.model.alert import Message, Topic
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey
from keeptime.store.sqlite import SqliteStore
from keeptime.testing.recorder import recording
from tests.nobody import nobody_listening

TERMS = """\
contract: kept
provider: platform
endpoint: {{url: "http://127.0.0.1:{port}/"}}
observe: [{{probe: {{every: 10s, timeout: 1s}}}}]
objectives: [{{name: p90, target: 90%, under: 200ms, over: 1h}}]
consumers: [{{name: checkout, tell: ["webhook:{hook}"]}}]
"""


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.02)


async def story(folder: Path, port: int) -> None:
    async with recording() as hook:
        file = folder / "kept.yaml"
        file.write_text(TERMS.format(port=port, hook=hook.url))
        contracts = load_files([str(file)]).contracts
        (address,) = contracts[0].consumers[0].tell
        body = b'{"objective":{"name":"p90"}}'
        message = Message("m1", ObjectiveKey("kept", "p90"), Topic.BROKEN, 1, body, (address,))
        with SqliteStore.open(folder / "data", tick_seconds=10.0, now=1000.0) as store:
            store.commit(Change(1000.0, messages=(message,)))
            store.gave_up(1, 1001.0, "it answered 410 Gone", channel=True)
        daemon = await build(contracts, Settings(folder / "data", 10.0))
        await daemon.start()
        try:
            await until(lambda: bool(daemon.snapshot().health.problems))
            (problem,) = daemon.snapshot().health.problems
            assert problem == (
                "1 message of contract kept for checkout by webhook could not be delivered (it answered 410 Gone); "
                "see `keeptime outbox list --dead`"
            )
            assert [each.row for each in await daemon.letters(dead=True)] == [1]
            assert hook.requests == []
            assert await daemon.replay(rows=None, contract="kept") == 1
            await hook.wait_for(1)
            assert hook.requests[0].headers["webhook-id"] == "m1"
            assert json.loads(hook.requests[0].body)["objective"] == json.loads(body)["objective"]
            await until(lambda: not daemon.snapshot().health.problems)
        finally:
            await daemon.stop()


def test_dead_letters_are_a_problem_until_they_are_replayed(tmp_path: Path) -> None:
    with nobody_listening() as port:
        asyncio.run(story(tmp_path, port))
