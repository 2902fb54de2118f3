"""Who may open a store, what is refused, and what a restart says of the time it was not there."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from keeptime.errors import StoreBusy, StoreDamaged, StoreError, StoreUnavailable, UsageError
from keeptime.store.opening import migrations
from keeptime.store.sqlite import SqliteStore
from tests.store.given import FAST, FIRST, NOW, counted, opened

pytestmark = pytest.mark.sqlite

LATER = "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT;\n"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_user_can_read_it(tmp_path: Path) -> None:
    with opened(tmp_path / "a" / "b") as store:
        store.commit(counted(FIRST))
        assert mode(tmp_path / "a" / "b") == 0o700
        assert {mode(path) for path in (tmp_path / "a" / "b").iterdir()} == {0o600}


def test_every_commit_is_synced(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        asked = [store.db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
        assert asked == ["wal", 2]
        assert store.db.execute("PRAGMA auto_vacuum").fetchone()[0] == 2


def test_a_store_in_a_hurry_waits_for_the_disk_once_and_the_next_one_for_each_step(tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path, tick_seconds=10.0, now=NOW) as store:
        store.hurry()
        assert store.db.execute("PRAGMA synchronous").fetchone()[0] == 0
        store.commit(counted(FIRST))
    with opened(tmp_path) as again:
        assert again.last_tick() == FIRST
        assert again.db.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_a_second_opener_is_told_who_has_it(tmp_path: Path) -> None:
    with opened(tmp_path):
        program = (
            "import sys; from pathlib import Path; from keeptime.store.sqlite import SqliteStore\n"
            "SqliteStore.open(Path(sys.argv[1]), tick_seconds=10, now=0)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False
        )
        assert f"StoreBusy: {tmp_path}: another keeptime (pid {os.getpid()}) uses this store" in done.stderr
        with pytest.raises(StoreBusy):
            opened(tmp_path)
    opened(tmp_path).close()


def test_closing_twice_is_fine_and_leaves_one_file(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.commit(counted(FIRST))
    store.close()
    store.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keeptime.db", "keeptime.lock", "keeptime.sum"]


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (a)")
        db.commit()


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (lambda path: path.write_bytes(b"not a database" * 100), "no SQLite database"),
        (lambda path: path.write_bytes(b"short"), "no SQLite database"),
        (lambda path: overwrite(path, 4096 * 3, b"\xaa" * 4096 * 4), "damaged"),
        (lambda path: os.truncate(path, 4096 * 5), "damaged"),
        (foreign, "belongs to another program"),
    ],
)
def test_a_file_that_is_not_sound_is_refused_and_kept(tmp_path: Path, harm: object, says: str) -> None:
    with opened(tmp_path) as store:
        for tick in range(FIRST, FIRST + 50):
            store.commit(counted(tick))
    path = tmp_path / "keeptime.db"
    assert callable(harm)
    harm(path)
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match=says) as caught:
        opened(tmp_path)
    assert path.read_bytes() == before
    assert str(path) in str(caught.value)
    assert "kept as it is" in str(caught.value)
    with pytest.raises(StoreDamaged):  # and the lock was let go
        opened(tmp_path)


def test_damage_that_shows_only_later_is_said_too(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(counted(FIRST, values=(0.1,)))
        store.db.execute("UPDATE sketches_tick SET data = x'ffff'")
        with pytest.raises(StoreDamaged, match="histogram is damaged"):
            store.sketches(next(iter(store.names.signals)), FIRST, FIRST + 1)


def test_other_ticks_are_refused(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with pytest.raises(StoreError, match="ticks of 10 s and cannot be used with 5 s"):
        opened(tmp_path, tick_seconds=5.0)
    with pytest.raises(UsageError, match="divide a minute"):
        opened(tmp_path, tick_seconds=7.0)


def test_a_newer_schema_is_refused_and_an_older_one_brought_up(tmp_path: Path) -> None:
    steps = migrations()
    with opened(tmp_path) as store:
        store.commit(counted(FIRST))
    with SqliteStore.open(tmp_path, tick_seconds=10.0, now=NOW, steps=(*steps, LATER)) as store:
        assert list(store.db.execute("SELECT * FROM later")) == []
        assert list(store.histories(FIRST + 1)) == [FAST]
    with pytest.raises(StoreError, match=f"newer keeptime wrote it .schema {len(steps) + 1}"):
        opened(tmp_path)


def test_a_step_that_fails_leaves_the_old_schema(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with pytest.raises(StoreError, match="already exists"):
        SqliteStore.open(tmp_path, tick_seconds=10.0, now=NOW, steps=(*migrations(), LATER + LATER))
    with opened(tmp_path) as store:
        assert list(store.db.execute("SELECT name FROM sqlite_master WHERE name = 'later'")) == []


def test_a_creation_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "keeptime.db.new").write_bytes(b"half")
    (tmp_path / "keeptime.db").write_bytes(b"")
    with opened(tmp_path) as store:
        store.commit(counted(FIRST))
    assert not (tmp_path / "keeptime.db.new").exists()


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="directory cannot be used"):
        opened(tmp_path / "file" / "below")


def test_what_was_not_lived_through_is_known(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.last_tick() is None
        for tick in range(FIRST, FIRST + 5):
            store.commit(counted(tick))
    with opened(tmp_path, tick=FIRST + 20) as store:
        assert store.last_tick() == FIRST + 4
        assert store.incomplete_ticks(FIRST, FIRST + 100) == (FIRST, FIRST + 5, FIRST + 20)
        for tick in (FIRST + 20, FIRST + 21, FIRST + 23):
            store.commit(counted(tick))
        assert store.ticks_not_lived(FIRST, FIRST + 24) == ((FIRST + 5, FIRST + 19), (FIRST + 22, FIRST + 22))
        assert store.ticks_not_lived(FIRST, FIRST + 3) == ()
        store.commit(counted(FIRST + 22))
        assert store.ticks_not_lived(FIRST + 20, FIRST + 30) == ((FIRST + 24, FIRST + 29),)
        assert store.incomplete_ticks(FIRST + 6, FIRST + 20) == ()


def test_a_clock_set_back_marks_nothing_new(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(counted(FIRST + 10))
    with opened(tmp_path, tick=FIRST + 3) as store:
        assert store.incomplete_ticks(FIRST, FIRST + 100) == (FIRST,)
        store.commit(counted(FIRST + 4))
        assert sum(store.histories(FIRST + 11)[FAST].good) == 18
