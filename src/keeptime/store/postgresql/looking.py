"""A store in PostgreSQL that is only looked at, beside the pair that writes it: for whoever verifies what it holds.

Guarantees: no lease is asked for and nothing is written; all that is read is of one instant.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from keeptime.errors import StoreError
from keeptime.store.postgresql.address import Address
from keeptime.store.postgresql.database import PostgresqlDatabase

_HAS_LEDGER = "SELECT to_regclass('exclusion_due') IS NOT NULL"
_NO_TERM = 0


@contextmanager
def looking_into(address: Address) -> Iterator[PostgresqlDatabase]:
    """The database at this address. Raises StoreUnavailable where it does not answer, and StoreError."""
    with closing(PostgresqlDatabase(address, "keeptime, looking", _NO_TERM)) as db, db.speaking():
        db.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = db.execute(_HAS_LEDGER).fetchone()
        if row is None or not row[0]:
            raise StoreError(f"{db.where}: there is no store with a ledger; start this keeptime on it once")
        yield db
