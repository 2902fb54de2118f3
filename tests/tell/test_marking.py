"""Outcomes of deliveries: one alone waits for nothing, many at once share a commit, a bad one keeps back none."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from keeptime.app.storing import StoreThread
from keeptime.errors import StoreError, StoreUnavailable
from keeptime.model.alert import Address
from keeptime.model.change import Change
from keeptime.model.outcome import Delivered, GaveUp, Outcome
from keeptime.store.sqlite import SqliteStore
from keeptime.tell.marking import Marker
from tests.store.given import FAST, NOW, message, opened

COUNT = 40


class Counted:
    """A store in its thread, and what each commit held. `error`: raised by the next commits of these sizes."""

    def __init__(self, store: SqliteStore) -> None:
        self.store, self.thread = store, StoreThread()
        self.commits: list[int] = []
        self.errors: dict[int, StoreError] = {}

    def mark(self, outcomes: Sequence[Outcome]) -> Sequence[int]:
        self.commits.append(len(outcomes))
        if len(outcomes) in self.errors:
            raise self.errors[len(outcomes)]
        return self.store.mark(outcomes)


Story = Callable[[Counted, Marker], object]


def run(folder: Path, story: Story) -> list[int]:
    """The size of each commit. The store has COUNT messages to as many receivers, rows 1 to COUNT."""

    async def told() -> list[int]:
        counted = Counted(store)
        try:
            await story(counted, Marker(counted, counted.thread))  # type: ignore[arg-type,misc]
        finally:
            counted.thread.close()
        return counted.commits

    with opened(folder) as store:
        to = [Address(f"c{number}", "webhook", "env:HOOK") for number in range(COUNT)]
        store.commit(Change(NOW, messages=(message("m1", FAST, *to),)))
        return asyncio.run(told())


def test_many_at_once_share_a_commit_and_the_first_waits_for_none(tmp_path: Path) -> None:
    async def story(counted: Counted, marker: Marker) -> None:
        await asyncio.gather(*(marker.mark(Delivered(row, NOW, "204")) for row in range(1, COUNT + 1)))
        assert counted.store.next_due() is None

    assert run(tmp_path, story) == [1, COUNT - 1]


def test_each_alone_is_a_commit_of_its_own(tmp_path: Path) -> None:
    async def story(counted: Counted, marker: Marker) -> None:
        for row in (1, 2, 3):
            assert await marker.mark(Delivered(row, NOW, "204")) == 0

    assert run(tmp_path, story) == [1, 1, 1]


def test_one_that_cannot_be_stored_keeps_back_no_other(tmp_path: Path) -> None:
    async def story(counted: Counted, marker: Marker) -> None:
        rows = (1, 2, 999, 3)
        done = await asyncio.gather(
            *(marker.mark(Delivered(row, NOW, "204")) for row in rows), return_exceptions=True
        )
        assert [each if isinstance(each, int) else str(each) for each in done] == [
            0,
            0,
            "the outbox has no row 999",
            0,
        ]
        assert len(counted.store.letters(dead=False, most=99)) == COUNT - 3

    assert run(tmp_path, story) == [1, 3, 1, 1, 1]


def test_a_full_disk_is_said_to_all_at_once_and_nothing_was_stored(tmp_path: Path) -> None:
    async def story(counted: Counted, marker: Marker) -> None:
        counted.errors = {1: StoreUnavailable("full"), 3: StoreUnavailable("full")}
        done = await asyncio.gather(
            *(marker.mark(Delivered(row, NOW, "204")) for row in (1, 2, 3, 4)), return_exceptions=True
        )
        assert [str(each) for each in done] == ["full"] * 4
        counted.errors = {}
        assert await marker.mark(Delivered(1, NOW, "204")) == 0

    assert run(tmp_path, story) == [1, 3, 1]


def test_what_was_cut_off_while_it_waited_is_stored_all_the_same(tmp_path: Path) -> None:
    async def story(counted: Counted, marker: Marker) -> None:
        tasks = [asyncio.create_task(marker.mark(Delivered(row, NOW, "204"))) for row in (1, 2, 3)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await marker.flush()
        assert len(counted.store.letters(dead=False, most=99)) == COUNT - 3

    assert run(tmp_path, story) == [1, 2]


def test_it_is_said_how_many_became_dead_letters(tmp_path: Path) -> None:
    async def story(counted: Counted, marker: Marker) -> None:
        counted.store.commit(Change(NOW, messages=(message("m2", FAST, Address("c0", "webhook", "env:HOOK")),)))
        outcomes = [GaveUp(1, NOW, "gone", channel=True), GaveUp(2, NOW, "no"), Delivered(3, NOW, "204")]
        assert await asyncio.gather(*map(marker.mark, outcomes)) == [2, 1, 0]

    run(tmp_path, story)


@pytest.mark.parametrize("error", [RuntimeError("a bug")])
def test_a_bug_is_the_callers_and_the_next_goes_on(tmp_path: Path, error: Exception) -> None:
    async def story(counted: Counted, marker: Marker) -> None:
        counted.errors = {1: error}  # type: ignore[dict-item]
        with pytest.raises(RuntimeError, match="a bug"):
            await marker.mark(Delivered(1, NOW, "204"))
        counted.errors = {}
        assert await marker.mark(Delivered(1, NOW, "204")) == 0

    run(tmp_path, story)
