"""The outbox of a store that no daemon uses: for looking, and for replaying, without running anything.

Guarantees: the store's lock is held meanwhile, so no daemon works on it; counts and ticks are not touched.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from keeptime.errors import StoreUnavailable
from keeptime.store.failures import speaking
from keeptime.store.letters import Letters
from keeptime.store.opening import FILE, connect, migrations, take_lock
from keeptime.store.sqlite_database import SqliteDatabase
from keeptime.store.sums import come, seal


@contextmanager
def letters_of(directory: Path) -> Iterator[Letters]:
    """What is done within is one transaction. Raises StoreBusy where a daemon runs, and StoreError."""
    path = directory / FILE
    if not path.is_file():
        raise StoreUnavailable(f"{path}: there is no store; give the directory of one with --data")
    lock = take_lock(directory)
    try:
        with closing(connect(directory, _tick_seconds(path), migrations())) as connection:
            db = SqliteDatabase(connection, str(path))
            with db.transaction():
                yield Letters(db)
            far = come(connection)
        seal(path, far)
    finally:
        os.close(lock)


def _tick_seconds(path: Path) -> float:
    with speaking(str(path)), closing(sqlite3.connect(path)) as db:
        (nanoseconds,) = db.execute("SELECT value FROM setting WHERE name = 'tick_nanoseconds'").fetchone()
        return float(nanoseconds / 1e9)
