"""Opening a store: its directory and lock, whether the file is ours and sound, and the schema's steps.

Guarantees: one daemon per store; a file that is not ours, damaged, newer or of other ticks is left as it is.
"""

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from keeptime.errors import StoreBusy, StoreDamaged, StoreError, StoreUnavailable
from keeptime.store.failures import speaking, transaction
from keeptime.store.sums import unseal

FILE, LOCK = "keeptime.db", "keeptime.lock"
APPLICATION_ID = 0x6B746D31
"""Marks the file as keeptime's ("ktm1"), in SQLite's own field for that."""

CHECKED_WHOLE = 64 * 1024 * 1024
"""Bytes up to which the whole file is checked at each start; a larger one is checked as it is read."""

_MAGIC = b"SQLite format 3\x00"
_STRICT_SINCE = (3, 37)


def migrations() -> tuple[str, ...]:
    """The SQL of each step, in order: the first brings an empty file to version 1."""
    folder = files("keeptime.store.migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple((folder / name).read_text("utf-8") for name in names)


def take_lock(directory: Path) -> int:
    """Own this directory until the descriptor is closed; makes it (0700) where it is not there.

    Raises StoreBusy with the owner's pid, StoreUnavailable where the directory cannot be written.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailable(
            f"{directory}: the store's directory cannot be used ({error.strerror}); "
            "give one that this user can write with --data"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        raise StoreBusy(
            f"{directory}: another keeptime (pid {owner}) uses this store; "
            "end it, or give this one another directory with --data"
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def connect(directory: Path, tick_seconds: float, steps: Sequence[str]) -> sqlite3.Connection:
    """The checked and migrated database. Raises StoreDamaged, StoreUnavailable or StoreError."""
    path = directory / FILE
    if _is_there(path):
        unseal(path)
    else:
        _create(path, tick_seconds, steps)
    with speaking(str(path)):
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            _prepare(db, path, tick_seconds, steps)
        except BaseException:
            db.close()
            raise
        return db


def _create(path: Path, tick_seconds: float, steps: Sequence[str]) -> None:
    """Make it under another name, then put it in place: a kill half-way leaves none."""
    new = path.with_name(FILE + ".new")
    for old in (new, new.with_name(new.name + "-journal")):
        old.unlink(missing_ok=True)
    with speaking(str(path)):
        os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(new, isolation_level=None)) as db:
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            db.execute("PRAGMA synchronous = FULL")
            with transaction(db, str(path)):
                _migrate(db, 0, steps)
                db.execute("INSERT INTO setting VALUES ('tick_nanoseconds', ?)", (round(tick_seconds * 1e9),))
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    os.fsync(folder)
    os.close(folder)


def _is_there(path: Path) -> bool:
    """Look before SQLite does, so that another program's file is not so much as opened for writing."""
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreUnavailable(f"{path}: it cannot be opened ({error.strerror}); check its permissions") from error
    if not head:
        return False
    if len(head) < 100 or not head.startswith(_MAGIC):
        raise StoreDamaged(
            f"{path}: this is no SQLite database; it is kept as it is: "
            "move it away to start anew, or put a backup in its place"
        )
    if int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        raise StoreDamaged(
            f"{path}: this database belongs to another program; it is kept as it is: "
            "give keeptime a directory of its own"
        )
    return True


def _prepare(db: sqlite3.Connection, path: Path, tick_seconds: float, steps: Sequence[str]) -> None:
    db.execute("PRAGMA busy_timeout = 5000")
    db.execute("PRAGMA foreign_keys = ON")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(steps):
        raise StoreError(
            f"{path}: a newer keeptime wrote it (schema {version}, this one knows up to {len(steps)}); "
            "it is kept as it is: run that version, or give another directory"
        )
    if path.stat().st_size <= CHECKED_WHOLE:
        _must_be_sound(db, path)
    _must_have_ticks(db, path, tick_seconds)
    if version < len(steps):
        with transaction(db, str(path)):
            _migrate(db, version, steps)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")


def _must_be_sound(db: sqlite3.Connection, path: Path) -> None:
    found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise StoreDamaged(
            f"{path}: it is damaged ({found}); it is kept as it is: "
            "move it away to start anew, or put a backup in its place"
        )


def _must_have_ticks(db: sqlite3.Connection, path: Path, tick_seconds: float) -> None:
    row = db.execute("SELECT value FROM setting WHERE name = 'tick_nanoseconds'").fetchone()
    if row is not None and row[0] != round(tick_seconds * 1e9):
        raise StoreError(
            f"{path}: it was counted in ticks of {row[0] / 1e9:g} s and cannot be used with {tick_seconds:g} s; "
            "use that tick, or give another directory"
        )


def _migrate(db: sqlite3.Connection, version: int, steps: Sequence[str]) -> None:
    """All steps that are missing, within the caller's transaction: a kill half-way leaves the old schema."""
    for step in steps[version:]:
        for statement in statements(step):
            db.execute(statement)
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {len(steps)}")


def statements(step: str) -> list[str]:
    """The step's statements one by one: executescript would end the transaction that they belong to."""
    found, pending = [], ""
    for line in step.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    if sqlite3.sqlite_version_info < _STRICT_SINCE:
        return [statement.replace(") STRICT;", ");") for statement in found]
    return found
