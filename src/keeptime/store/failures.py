"""What SQLite raises, said in keeptime's own errors; and one transaction, all or nothing.

Guarantees: no sqlite3 error leaves the store; a failed transaction leaves nothing behind.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from keeptime.errors import StoreDamaged, StoreError, StoreUnavailable

UNSYNCED = {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}
"""Extended result codes: the system could not bring to the disk what was written."""

_PASSING = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_IOERR: "the disk gave an error; check it and its free space",
    sqlite3.SQLITE_BUSY: "another program holds a lock on it; end that program",
    sqlite3.SQLITE_LOCKED: "it is locked; end the other program that uses it",
    sqlite3.SQLITE_CANTOPEN: "a file cannot be opened; check the directory and its permissions",
    sqlite3.SQLITE_READONLY: "it cannot be written; check the permissions of the directory and its files",
    sqlite3.SQLITE_NOMEM: "memory has run out",
}
"""Primary result codes after which trying again helps once the cause is gone (sqlite.org/rescode.html)."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def said(error: sqlite3.Error, where: str) -> StoreError:
    """The same failure as a person can act on it, with whether trying again helps."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _PASSING:
        return StoreUnavailable(
            f"{where}: {_PASSING[code]}; nothing was changed, and trying again helps then ({error})"
        )
    if code in _DAMAGED:
        return StoreDamaged(
            f"{where}: it is damaged ({error}); it is kept as it is: "
            "move it away to start anew, or put a backup in its place"
        )
    return StoreError(f"{where}: {error}")


@contextmanager
def speaking(where: str) -> Iterator[None]:
    """Any sqlite3 error inside is raised as a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise said(error, where) from error


@contextmanager
def transaction(db: sqlite3.Connection, where: str) -> Iterator[None]:
    """One durable step. Raises StoreError; then nothing of it was kept."""
    with speaking(where):
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
