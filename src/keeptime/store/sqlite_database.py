"""SQLite as a `Database`: one connection, whose errors are said in keeptime's own.

Guarantees: a transaction has the file's one write lock from its beginning, so what it reads stays true. A step
whose sync to the disk failed can be tried once more, for it is written anew; where that fails too nothing more is
written, for after an error of fsync the system may take lost pages for written ones.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from keeptime.errors import StoreError, StoreFailed
from keeptime.store.failures import UNSYNCED, speaking, transaction
from keeptime.store.sql import Value

_FREED = 256
"""Pages given back to the disk by one commit at most, while more than a quarter of the file is unused."""

_TRIES = 2
"""Syncs of one step that may fail before the disk is given up."""


@dataclass(slots=True)
class SqliteDatabase:
    """A connection that `connect` of `opening` made; `where` it is, for people. `unsynced`: syncs in a row that
    failed. Mutable.
    """

    connection: sqlite3.Connection
    where: str
    unsynced: int = 0

    def execute(self, statement: str, values: Sequence[Value] = (), /) -> sqlite3.Cursor:
        return self.connection.execute(statement, values)

    def executemany(self, statement: str, rows: Iterable[Sequence[Value]], /) -> None:
        self.connection.executemany(statement, rows)

    def speaking(self) -> AbstractContextManager[None]:
        return speaking(self.where)

    @contextmanager
    def transaction(self, what: object = None) -> Iterator[None]:  # noqa: ARG002 - the Protocol's
        if self.failed:
            raise self._failure()
        try:
            with transaction(self.connection, self.where):
                yield
        except StoreError as error:
            if getattr(error.__cause__, "sqlite_errorcode", 0) in UNSYNCED:
                self.unsynced += 1
                if self.failed:
                    raise self._failure() from error
            raise
        self.unsynced = 0

    @property
    def failed(self) -> bool:
        """The disk lost what was written: nothing more may be."""
        return self.unsynced >= _TRIES

    def was_done(self, what: object) -> bool:  # noqa: ARG002 - the Protocol's
        """Of a transaction that raised nothing is in the file."""
        return False

    def give_back(self) -> None:
        free = self.connection.execute("PRAGMA freelist_count").fetchone()[0]
        if free * 4 > self.connection.execute("PRAGMA page_count").fetchone()[0]:
            self.connection.execute(f"PRAGMA incremental_vacuum({_FREED})").fetchall()

    def close(self) -> None:
        self.connection.close()

    def _failure(self) -> StoreFailed:
        return StoreFailed(
            f"{self.where}: the disk could not be synced, twice; what was written may be lost, so keeptime writes "
            "nothing more and ends; check the disk, then start it again: it goes on from what is on the disk"
        )
