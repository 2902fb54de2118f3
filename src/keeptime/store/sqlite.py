"""The store in one SQLite file, in a directory of its own.

Guarantees: one process owns it; when it is closed in order, the one file is the whole store.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from keeptime.errors import StoreFailed
from keeptime.store.names import Names
from keeptime.store.opening import FILE, connect, migrations, take_lock
from keeptime.store.sqlite_database import SqliteDatabase
from keeptime.store.stored import Stored, stages_of
from keeptime.store.sums import come, seal


@dataclass(slots=True)
class SqliteStore(Stored):
    """Make one with `open`; use as a context manager or `close` it."""

    db: SqliteDatabase
    path: Path
    lock: int
    hurried: bool = False

    @classmethod
    def open(
        cls, directory: Path, *, tick_seconds: float, now: float, steps: Sequence[str] | None = None
    ) -> "SqliteStore":
        """Open, check, migrate; mark the tick that `now` lies in, and the one that was in progress, as incomplete.

        Raises StoreBusy (another daemon), StoreDamaged (the file is left as it is), StoreError (newer schema, other
        ticks), StoreUnavailable (the disk), UsageError (a tick that does not divide a minute).
        """
        stages, path = stages_of(tick_seconds), directory / FILE
        with ExitStack() as undo:
            lock = take_lock(directory)
            undo.callback(os.close, lock)
            db = SqliteDatabase(
                connect(directory, tick_seconds, migrations() if steps is None else steps), str(path)
            )
            undo.callback(db.close)
            store = cls(db, Names(db), tick_seconds, stages, path, lock)
            store.begin(now)
            undo.pop_all()
        return store

    def hurry(self) -> None:
        """Wait for the disk at `close` alone: of a store that is thrown away unless it is closed in order."""
        with self.db.speaking():
            self.db.execute("PRAGMA synchronous = OFF")
        self.hurried = True

    def close(self) -> None:
        """Move everything into the one file, and let go of it. A second call does nothing."""
        if self.lock < 0:
            return
        far = None
        try:
            if not self.db.failed:
                with self.db.speaking():
                    self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                    far = come(self.db.connection)
                if self.hurried:
                    _sync(self.path)
        finally:
            self.db.close()
            seal(self.path, far)
            os.close(self.lock)
            self.lock = -1


def _sync(path: Path) -> None:
    """Wait until all of the file is on the disk. Raises StoreFailed."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    except OSError as error:
        raise StoreFailed(f"{path}: the disk could not be synced; make the store anew ({error})") from error
    finally:
        os.close(file)
