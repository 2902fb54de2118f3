"""PostgreSQL as a `Database`: one connection that is opened again after a failure, and a fence before every write.

Guarantees: a transaction runs whole on one connection under the lease's term, or not at all; where the connection
fails while it ends, whether it was committed is found out before it is done again. Use it from one thread; `cut`
may come from any.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import LiteralString

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow

from keeptime.errors import StoreFenced, StoreUnavailable
from keeptime.store.postgresql.address import Address
from keeptime.store.postgresql.connecting import connect, cut
from keeptime.store.postgresql.failures import Speaking
from keeptime.store.sql import Value

_FENCE = "SELECT pg_current_xact_id()::text FROM lease WHERE term = %s FOR KEY SHARE"
"""Whoever takes the lease waits for transactions that are under way, and lets no later one of this term begin."""

_STATUS = "SELECT pg_xact_status(%s::text::xid8)"
_MOST_DOUBTS = 16


class PostgresqlDatabase:
    """`term`: of the lease that this process holds; a write without it raises StoreFenced."""

    def __init__(self, address: Address, name: str, term: int) -> None:
        self._address, self._name, self._term = address, name, term
        self._connection: Connection | None = None
        self._inside = False
        self._ended = ""
        self._doubts: list[tuple[object, str]] = []

    @property
    def where(self) -> str:
        return self._address.shown

    def execute(self, statement: str, values: Sequence[Value] = (), /) -> Cursor[TupleRow]:
        return self._now().execute(translated(statement), values)

    def executemany(self, statement: str, rows: Iterable[Sequence[Value]], /) -> None:
        self._now().cursor().executemany(translated(statement), rows)

    def speaking(self) -> AbstractContextManager[None]:
        return Speaking(self._address)

    @contextmanager
    def transaction(self, what: object = None) -> Iterator[None]:
        """As the Protocol says. `what`: see `was_done`."""
        with self.speaking():
            connection = self._now()
            connection.execute("BEGIN")
            self._inside = True
            try:
                xid = self._fence(connection)
                yield
                self._commit(connection, what, xid)
            except BaseException:
                self._roll_back(connection)
                raise
            finally:
                self._inside = False

    def was_done(self, what: object) -> bool:
        """Of a transaction about this the end was not heard; was it committed? Raises StoreUnavailable."""
        found = next((each for each in self._doubts if each[0] is what), None)
        if found is None:
            return False
        with self.speaking():
            row = self._now().execute(_STATUS, (found[1],)).fetchone()
        if row is not None and row[0] == "in progress":
            raise StoreUnavailable(f"{self.where}: it still ends an earlier transaction; trying again helps")
        self._doubts.remove(found)
        return row is not None and row[0] == "committed"

    def give_back(self) -> None:
        """PostgreSQL's own autovacuum does that."""

    def interrupt(self) -> None:
        """From any thread: what waits for an answer fails now; the next use is of a fresh connection."""
        cut(self._connection)

    def cut(self, why: str) -> None:
        """From any thread: nothing more is done here, and what waits for an answer fails now."""
        self._ended = why
        cut(self._connection)

    def close(self) -> None:
        self._ended = self._ended or "it was closed"
        if self._connection is not None:
            self._connection.close()

    def _now(self) -> Connection:
        """The connection; a fresh one where the last has failed, but never within a transaction."""
        self._must_go_on()
        if self._connection is None or (self._connection.closed and not self._inside):
            self._connection = connect(self._address, self._name)
            self._must_go_on()
        return self._connection

    def _must_go_on(self) -> None:
        if self._ended:
            raise StoreFenced(f"{self.where}: {self._ended}")

    def _fence(self, connection: Connection) -> str:
        row = connection.execute(_FENCE, (self._term,)).fetchone()
        if row is None:
            raise StoreFenced(
                f"{self.where}: another keeptime leads now (the term {self._term} is over), so nothing was written"
            )
        return str(row[0])

    def _commit(self, connection: Connection, what: object, xid: str) -> None:
        try:
            connection.execute("COMMIT")
        except psycopg.Error:
            if what is not None and connection.closed:
                self._doubts = [*self._doubts[1 - _MOST_DOUBTS :], (what, xid)]
            raise

    def _roll_back(self, connection: Connection) -> None:
        try:
            if not connection.closed:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()


@lru_cache(maxsize=1024)
def translated(statement: str) -> LiteralString:
    """With psycopg's placeholders. Every statement is the program's own: no value is written into one."""
    return statement.replace("%", "%%").replace("?", "%s")
