"""Fault 16: the acknowledgement is lost → a duplicate with the same id and bytes, which the consumer drops."""

import asyncio
from pathlib import Path

import pytest

from keeptime.testing.recorder import Recorder
from tests.faults.hearing import hearing
from tests.faults.outage import Stage, play
from tests.tell.given import OK, PAGE


def test_fault_16_it_comes_again_as_it_was_and_is_taken_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(stage: Stage, _: Recorder) -> None:
        async with hearing() as ear:
            monkeypatch.setenv("HOOK", ear.url)
            ear.loses = 3
            decided = stage.decide(PAGE, OK)
            await asyncio.sleep(60)
            ids = [name for name, _ in ear.requests()]
            assert ids == [decided[0]] * 4 + [decided[1]]
            assert len({body for _, body in ear.requests()[:4]}) == 1
            assert len(set(ear.stamps()[:4])) == 4, "each attempt is signed anew"
            assert ear.answers == ["taken", *["known already"] * 3, "taken"]
            assert [each.id for each in ear.got] == decided
            assert ear.gaps() == [None, None]
            assert not stage.store.waiting()

    play(tmp_path, story)
