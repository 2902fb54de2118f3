"""SQLite as a `Database`: one connection, whose errors are said in keeptime's own.

Guarantees: a transaction has the file's one write lock from its beginning, so what it reads stays true.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from keeptime.store.failures import speaking, transaction
from keeptime.store.sql import Value

_FREED = 256
"""Pages given back to the disk by one commit at most, while more than a quarter of the file is unused."""


@dataclass(frozen=True, slots=True)
class SqliteDatabase:
    """A connection that `connect` of `opening` made; `where` it is, for people."""

    connection: sqlite3.Connection
    where: str

    def execute(self, statement: str, values: Sequence[Value] = (), /) -> sqlite3.Cursor:
        return self.connection.execute(statement, values)

    def executemany(self, statement: str, rows: Iterable[Sequence[Value]], /) -> None:
        self.connection.executemany(statement, rows)

    def speaking(self) -> AbstractContextManager[None]:
        return speaking(self.where)

    def transaction(self, what: object = None) -> AbstractContextManager[None]:  # noqa: ARG002 - the Protocol's
        return transaction(self.connection, self.where)

    def was_done(self, what: object) -> bool:  # noqa: ARG002 - the Protocol's
        """Of a transaction that raised nothing is in the file."""
        return False

    def give_back(self) -> None:
        free = self.connection.execute("PRAGMA freelist_count").fetchone()[0]
        if free * 4 > self.connection.execute("PRAGMA page_count").fetchone()[0]:
            self.connection.execute(f"PRAGMA incremental_vacuum({_FREED})").fetchall()

    def close(self) -> None:
        self.connection.close()
