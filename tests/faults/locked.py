"""Another process that holds the write lock of keeptime's database, as a shell does that was left open."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """From here on nobody else can write; those who read are not disturbed."""
    with closing(sqlite3.connect(data / "keeptime.db", isolation_level=None, timeout=30)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")
