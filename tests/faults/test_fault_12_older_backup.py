"""Fault 12: an older backup is put in place → a new epoch; no (epoch, sequence) is used twice. The real store."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from keeptime.model.change import Change
from keeptime.testing.recorder import Recorder
from tests.faults.hearing import Ear, hearing
from tests.faults.outage import Stage, play
from tests.store.given import FAST, FIRST, HOOK, LOG, NOW, message, opened
from tests.tell.given import BROKEN, OK, PAGE, Case

Used = dict[tuple[str, int, str], str]


def live(folder: Path, used: Used, *names: str, tick: int = FIRST) -> None:
    """A daemon's life: it stores these messages for two receivers, and sends what waits. `used`: what they got."""
    with opened(folder, tick=tick) as store:
        store.commit(Change(NOW, messages=tuple(message(name, FAST, HOOK, LOG) for name in names)))
        while heads := store.heads(NOW):
            for head in heads:
                assert head.numbers is not None
                number = (head.numbers.epoch, head.numbers.sequence, head.address.kind)
                assert used.setdefault(number, head.message_id) == head.message_id, "one number, two messages"
                store.delivered(head.row, NOW, "204")


def copy(folder: Path, to: Path) -> None:
    """A backup as docs/store.md says: SQLite's own, while a daemon may run."""
    with closing(sqlite3.connect(folder / "keeptime.db")) as live, closing(sqlite3.connect(to)) as there:
        live.backup(there)


def restore(folder: Path, backup: Path) -> None:
    for stale in folder.glob("keeptime.db*"):
        stale.unlink()
    (folder / "keeptime.db").write_bytes(backup.read_bytes())


def test_fault_12_no_number_is_used_twice_after_an_older_backup_is_restored(tmp_path: Path) -> None:
    used: Used = {}
    folder, backup = tmp_path / "data", tmp_path / "copy.db"
    live(folder, used, "m1", "m2")
    copy(folder, backup)
    live(folder, used, "m3", "m4", tick=FIRST + 1)
    for life in range(2):  # the same backup twice, and at the very same instant
        restore(folder, backup)
        live(folder, used, f"other{life}", "m4", tick=FIRST + 1)
    hook = [(epoch, number, name) for (epoch, number, kind), name in used.items() if kind == "webhook"]
    assert [number for _, number, _ in hook] == [1, 2, 3, 4, 3, 4, 3, 4]
    assert len({epoch for epoch, *_ in hook}) == 4
    assert [name for *_, name in hook] == ["m1", "m2", "m3", "m4", "other0", "m4", "other1", "m4"]


def test_fault_12_a_message_that_waited_in_the_backup_keeps_its_number_and_bytes(tmp_path: Path) -> None:
    folder, backup = tmp_path / "data", tmp_path / "copy.db"
    with opened(folder) as store:
        store.commit(Change(NOW, messages=(message("m1"),)))
        copy(folder, backup)
        (sent,) = store.heads(NOW)
        store.delivered(sent.row, NOW, "204")
    restore(folder, backup)
    with opened(folder, tick=FIRST + 5) as store:
        (again,) = store.heads(NOW)
    assert (again.message_id, again.numbers, again.body) == (sent.message_id, sent.numbers, sent.body)


def test_fault_12_the_consumer_is_told_that_the_numbers_went_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, backup, ear = tmp_path / "data", tmp_path / "copy.db", Ear()

    def lived(*cases: Case, first_tick: int) -> None:
        async def story(stage: Stage, _: Recorder) -> None:
            async with hearing(ear):
                monkeypatch.setenv("HOOK", ear.url)
                for number in range(1, len(cases) + 1):
                    stage.decide(*cases[:number], first_tick=first_tick)
                    await asyncio.sleep(1)

        play(folder, story, begins=NOW + first_tick - 180_000_000)

    lived(PAGE, OK, first_tick=180_000_000)
    copy(folder, backup)
    lived(PAGE, BROKEN, OK, first_tick=180_000_100)
    restore(folder, backup)
    lived(PAGE, OK, first_tick=180_000_200)
    assert [each.fields["sequence"] for each in ear.got] == [1, 2, 3, 4, 5, 3, 4]
    assert ear.gaps() == [None] * 7
    remarks = [each.remark for each in ear.got]
    assert remarks[5].startswith("the numbers of sentiment-latency went back from 5 to 3 in a new epoch: ")
    assert [*remarks[:5], remarks[6]] == [""] * 6
