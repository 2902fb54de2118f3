"""Reloads: what they changed, one after the other, and never half-way."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace

import pytest

from keeptime.app.reloading import Changed, Reloading, changed
from keeptime.contract.terms import Contract
from keeptime.errors import KeeptimeError
from keeptime.testing.showable import contract


def version(name: str, number: str) -> Contract:
    return replace(contract(name), version=number)


def test_what_changed_by_name_and_version() -> None:
    before = [version("stays", "1"), version("goes", "1"), version("turns", "1")]
    after = [version("turns", "2"), version("comes", "1"), version("stays", "1")]
    done = changed(before, after)
    assert done == Changed((("comes", "1"),), (("goes", "1"),), (("turns", "1", "2"),), 1)
    assert str(done) == "comes added (1), goes removed (1), turns changed (1 → 2)"
    assert str(changed(before, before)) == "nothing changed"


class Stage:
    """What a reload works on: `files` are read, and `steps` noted; replacing takes a moment."""

    def __init__(self) -> None:
        self.files: Sequence[Contract] = [version("a", "2")]
        self.steps: list[str] = []
        self.told: list[str] = []
        self.wrong: KeeptimeError | None = None
        self.one = Reloading([version("a", "1")], lambda: self.files, self.replace, self.refused)

    async def replace(self, contracts: Sequence[Contract]) -> None:
        self.steps.append(f"begin {contracts[0].version}")
        await asyncio.sleep(0.05)
        if self.wrong is not None:
            raise self.wrong
        self.steps.append(f"end {contracts[0].version}")

    async def refused(self, why: str) -> None:
        self.told.append(why)


async def _two_at_once_are_done_one_after_the_other_and_the_second_reads_what_is_there_then() -> None:
    stage = Stage()
    first = asyncio.create_task(stage.one.reload("one"))
    await asyncio.sleep(0.02)
    stage.files = [version("a", "3")]
    second = await stage.one.reload("two")
    assert stage.steps == ["begin 2", "end 2", "begin 3", "end 3"]
    assert (await first).changed == (("a", "1", "2"),)
    assert second.changed == (("a", "2", "3"),)


async def _who_asked_and_goes_away_does_not_stop_it_half_way() -> None:
    stage = Stage()
    task = asyncio.create_task(stage.one.reload("one"))
    await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0.1)
    assert stage.steps == ["begin 2", "end 2"]
    assert stage.one.contracts[0].version == "2"


async def _a_refusal_is_told_and_shown_until_one_succeeds() -> None:
    stage = Stage()
    stage.wrong = KeeptimeError("the disk is full")
    with pytest.raises(KeeptimeError, match="disk"):
        await stage.one.reload("one")
    assert stage.told == [stage.one.error] == ["the disk is full"]
    assert stage.one.contracts[0].version == "1"
    stage.wrong = None
    await stage.one.reload("one")
    assert stage.one.error == ""


@pytest.mark.parametrize(
    "story",
    [
        _two_at_once_are_done_one_after_the_other_and_the_second_reads_what_is_there_then,
        _who_asked_and_goes_away_does_not_stop_it_half_way,
        _a_refusal_is_told_and_shown_until_one_succeeds,
    ],
)
def test_a_reload(story: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(story())
