"""A store that is only looked at, beside a daemon that may run on it: for whoever verifies what it holds.

Guarantees: nothing is written, no daemon waits for it, and all that is read is of one instant.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from keeptime.errors import StoreError, StoreUnavailable
from keeptime.store.failures import speaking
from keeptime.store.opening import FILE
from keeptime.store.sqlite_database import SqliteDatabase

_HAS_LEDGER = "SELECT count(*) FROM sqlite_master WHERE name = 'exclusion_due'"


@contextmanager
def looking_at(directory: Path) -> Iterator[SqliteDatabase]:
    """The database in this directory. Raises StoreUnavailable where there is none, and StoreError."""
    path = (directory / FILE).absolute()
    if not path.is_file():
        raise StoreUnavailable(f"{path}: there is no store; give the directory of one with --data")
    with speaking(str(path)), closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.isolation_level = None
        connection.execute("BEGIN")
        if not connection.execute(_HAS_LEDGER).fetchone()[0]:
            raise StoreError(f"{path}: an older keeptime wrote it, without a ledger; start this one on it once")
        yield SqliteDatabase(connection, str(path))
