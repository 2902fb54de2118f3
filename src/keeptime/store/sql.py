"""What the store's tables need of a database: the same statements, whichever database it is.

Guarantees: a part of the store that uses this Protocol alone runs on SQLite and on PostgreSQL. Statements are in
the SQL that both have: `?` for each value, ON CONFLICT with its target, RETURNING; no PRAGMA, no rowid, no
`INSERT OR`. Knows no driver.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Value = int | float | str | bytes | None


class Rows(Protocol):
    """What a statement gave: rows to go over, or how many it changed."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...


class Database(Protocol):
    """One database, used from one thread at a time. Its own errors come out as StoreError from `speaking` and
    `transaction`; every use lies within one of them.
    """

    def execute(self, statement: str, values: Sequence[Value] = (), /) -> Rows:
        """Outside a transaction each statement is one of its own."""
        ...

    def executemany(self, statement: str, rows: Iterable[Sequence[Value]], /) -> None:
        """The statement once for each row; nothing is given back."""
        ...

    def speaking(self) -> AbstractContextManager[None]:
        """Whatever the database raises within is raised as a StoreError."""
        ...

    def transaction(self, what: object = None) -> AbstractContextManager[None]:
        """What is done within is durable when it ends, or (where it raises) nothing of it was kept.

        Unless it raises while it ends, over a network: then nobody knows, and `was_done` tells whoever gives `what`
        the transaction was about.
        """
        ...

    def was_done(self, what: object) -> bool:
        """Was a transaction about this one kept after all, though it raised? True once."""
        ...

    def give_back(self) -> None:
        """Some of the space that became free, where the database does not do so itself. Within a transaction."""
        ...

    def close(self) -> None: ...
