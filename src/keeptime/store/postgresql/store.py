"""The store in a PostgreSQL database, written to by whoever holds the lease.

Guarantees: as `Stored`; beyond that no write of a process whose term is over has any effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.store.names import Names
from keeptime.store.opening import migrations
from keeptime.store.postgresql.address import Address
from keeptime.store.postgresql.database import PostgresqlDatabase
from keeptime.store.postgresql.opening import prepare
from keeptime.store.stored import Stored, stages_of


@dataclass(slots=True)
class PostgresqlStore(Stored):
    """Make one with `open`; use as a context manager or `close` it."""

    postgresql: PostgresqlDatabase

    @classmethod
    def open(
        cls,
        address: Address,
        *,
        name: str,
        term: int,
        tick_seconds: float,
        now: float,
        steps: Sequence[str] | None = None,
    ) -> "PostgresqlStore":
        """Check, migrate; mark ticks as SqliteStore does. `name`, `term`: of the lease that is held.

        Raises StoreFenced, StoreUnavailable, StoreError (newer schema, other ticks), UsageError (the tick).
        """
        stages = stages_of(tick_seconds)
        db = PostgresqlDatabase(address, name, term)
        try:
            prepare(db, tick_seconds, migrations() if steps is None else steps)
            store = cls(db, Names(db), tick_seconds, stages, db)
            store.begin(now)
        except BaseException:
            db.close()
            raise
        return store

    def interrupt(self) -> None:
        """From any thread: what waits for an answer fails now, and is tried again on another connection."""
        self.postgresql.interrupt()

    def cut(self, why: str) -> None:
        """From any thread: see `PostgresqlDatabase.cut`."""
        self.postgresql.cut(why)
