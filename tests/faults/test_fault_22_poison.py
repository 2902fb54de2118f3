"""Fault 22: a message that its receiver never takes → parked in sight; what is behind it goes out, and later
messages name the gap.
"""

import asyncio
from pathlib import Path

import pytest

from keeptime.tell.retry import PATIENCE
from keeptime.testing.recorder import Recorder
from tests.faults.hearing import hearing
from tests.faults.outage import ASLEEP, Stage, play
from tests.tell.given import BROKEN, NO_DATA, OK, PAGE


@pytest.mark.timeout(600)
@pytest.mark.parametrize("asleep", ASLEEP)
def test_fault_22_a_poison_message_is_parked_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asleep: float
) -> None:
    async def story(stage: Stage, _: Recorder) -> None:
        async with hearing() as ear:
            monkeypatch.setenv("HOOK", ear.url)
            ear.refuses = "broken"
            _, poison, *_ = stage.decide(PAGE, BROKEN, NO_DATA, OK)
            await asyncio.sleep(1)
            stage.sleep(asleep)
            await asyncio.sleep(PATIENCE - asleep - 2)
            assert ear.topics() == ["at_risk"]
            await asyncio.sleep(1800)
            assert ear.topics() == ["at_risk", "no_data", "recovered"]
            (parked,) = stage.store.letters(dead=True, most=9)
            assert parked.message_id == poison
            assert parked.error.endswith("it answered 400 Bad Request; expected 2xx")
            assert ear.gaps() == [None, (1, ()), None], "what was stored before shows the gap by its number"
            stage.decide(PAGE, OK, first_tick=180_000_100)
            await asyncio.sleep(1)
            assert ear.gaps()[3:] == [(1, (poison,)), None], "what is stored later names it, once"
            assert stage.store.discard(stage.clock.wall_ns() / 1e9, "ada", "never", rows=None, contract=None) == 1
            assert list(stage.store.dead_letters()) == []
            stage.decide(PAGE, first_tick=180_000_200)
            await asyncio.sleep(1)
            assert ear.gaps()[5:] == [None]

    play(tmp_path, story)
