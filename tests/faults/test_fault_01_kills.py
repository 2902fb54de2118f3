"""Killed with -9 at random points, and started again on the same store: nothing is lost, nothing out of order."""

import asyncio
import random
import sys
from collections.abc import Sequence
from itertools import pairwise
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


def check(folder: Path, kills: int, steps: int, seed: int) -> None:
    hook, killed = asyncio.run(story(folder, kills, steps, seed))
    got = list(dict.fromkeys(request.headers["webhook-id"] for request in hook.requests))
    sent = expected(hook.url, steps)
    print(f"{killed} kills between decision, send and mark (seed {seed}): {figures(sent, got, len(hook.requests))}")
    assert killed >= kills // 3
    assert got == sent
    bodies: dict[str, set[bytes]] = {}
    for request in hook.requests:
        bodies.setdefault(request.headers["webhook-id"], set()).add(request.body)
    assert all(len(those) == 1 for those in bodies.values())


def figures(sent: Sequence[str], got: Sequence[str], requests: int) -> str:
    """What the soak prints. `got`: ids in order of their first arrival."""
    place = {name: number for number, name in enumerate(sent)}
    order = [place[name] for name in got if name in place]
    reordered = sum(after < before for before, after in pairwise(order))
    return (
        f"sent {len(sent)}, received {len(got)}, lost {len(set(sent) - set(got))}, repeated {requests - len(got)}, "
        f"reordered {reordered}"
    )


def test_fault_01_fifteen_kills_between_decision_send_and_mark(tmp_path: Path) -> None:
    check(tmp_path, kills=15, steps=600, seed=7)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_fault_01_two_hundred_kills_between_decision_send_and_mark(tmp_path: Path) -> None:
    check(tmp_path, kills=200, steps=12_000, seed=random.randrange(2**32))
