"""Killed with -9 at random points, and started again on the same store: nothing is lost, nothing out of order."""

import asyncio
import random
import sys
from pathlib import Path

import pytest

from keeptime.testing.recorder import Recorder, raw, recording, status
from tests.tell.teller import expected

ROOT = Path(__file__).parents[2]
LONGEST = 900.0
"""Seconds for a run to its end; pytest's own limit comes first where it is less."""


async def run_and_kill(folder: Path, url: str, steps: int, after: float | None) -> int:
    """Run the child; kill it so many seconds after its start. Returns its exit code."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.tell.teller", str(folder), url, str(steps), cwd=ROOT
    )
    try:
        async with asyncio.timeout(after if after is not None else LONGEST):
            return await child.wait()
    except TimeoutError:
        child.kill()
        return await child.wait()


async def story(folder: Path, kills: int, steps: int, seed: int) -> tuple[Recorder, int]:
    chance = random.Random(seed)
    script = [raw(b"") if chance.random() < 0.02 else status(204) for _ in range(steps)]
    async with recording(script) as hook:
        killed = 0
        for _ in range(kills):
            killed += await run_and_kill(folder, hook.url, steps, chance.uniform(0.4, 1.2)) < 0
        assert await run_and_kill(folder, hook.url, steps, None) == 0
        return hook, killed


def check(folder: Path, kills: int, steps: int) -> None:
    hook, killed = asyncio.run(story(folder, kills, steps, seed=7))
    got = list(dict.fromkeys(request.headers["webhook-id"] for request in hook.requests))
    assert killed >= 3
    assert got == expected(hook.url, steps)
    bodies: dict[str, set[bytes]] = {}
    for request in hook.requests:
        bodies.setdefault(request.headers["webhook-id"], set()).add(request.body)
    assert all(len(those) == 1 for those in bodies.values())


@pytest.mark.serial
def test_every_transition_arrives_in_order_through_kills(tmp_path: Path) -> None:
    check(tmp_path, kills=8, steps=500)


@pytest.mark.soak
@pytest.mark.serial
@pytest.mark.timeout(1200)
def test_every_transition_arrives_in_order_through_many_kills(tmp_path: Path) -> None:
    check(tmp_path, kills=200, steps=12_000)
