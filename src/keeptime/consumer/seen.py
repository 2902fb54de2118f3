"""Which messages were taken already.

Guarantees: `has` is true for what was kept, as long as it is remembered; memory and file are bounded.
`SeenInSqlite` remembers through a kill: an id is on the disk when `keep` returns. A store of one's own is the
Protocol's two methods.
"""

import sqlite3
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Protocol

from keeptime.errors import StoreUnavailable

MOST = 10_000
WEEK = 7 * 86_400.0
"""A repeat that comes later is taken for new: choose more for a receiver that may be away for longer."""


class Seen(Protocol):
    """Ids of messages that were taken. Called by one thread at a time."""

    def has(self, message_id: str) -> bool: ...

    def keep(self, message_id: str, now: float) -> None:
        """Remember it. `now`: Unix seconds."""
        ...


class SeenInMemory:
    """The newest `most` ids; forgotten with the process, so a repeat after a restart is taken again."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()

    def has(self, message_id: str) -> bool:
        return message_id in self._ids

    def keep(self, message_id: str, now: float) -> None:  # noqa: ARG002 - a Protocol's signature
        self._ids[message_id] = None
        while len(self._ids) > self._most:
            self._ids.popitem(last=False)


class SeenInSqlite:
    """Ids in a file, or in a table `keeptime_seen` of a file that you have; each for `keep_seconds`."""

    def __init__(self, path: Path | str, keep_seconds: float = WEEK) -> None:
        """Raises StoreUnavailable, as do the methods."""
        self._keep_seconds = keep_seconds
        self._lock = Lock()
        try:
            self._file = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS keeptime_seen (id TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID"
            )
            self._file.execute("CREATE INDEX IF NOT EXISTS keeptime_seen_at ON keeptime_seen (at)")
        except sqlite3.Error as error:
            raise StoreUnavailable(f"{path}: the ids of messages cannot be kept there: {error}") from error

    def has(self, message_id: str) -> bool:
        try:
            with self._lock:
                rows = self._file.execute("SELECT 1 FROM keeptime_seen WHERE id = ?", (message_id,)).fetchall()
        except sqlite3.Error as error:
            raise _unavailable(error) from error
        return bool(rows)

    def keep(self, message_id: str, now: float) -> None:
        try:
            with self._lock, self._file:
                self._file.execute("BEGIN IMMEDIATE")
                self._file.execute("INSERT OR REPLACE INTO keeptime_seen VALUES (?, ?)", (message_id, now))
                self._file.execute("DELETE FROM keeptime_seen WHERE at < ?", (now - self._keep_seconds,))
        except sqlite3.Error as error:
            raise _unavailable(error) from error

    def close(self) -> None:
        self._file.close()


def _unavailable(error: sqlite3.Error) -> StoreUnavailable:
    return StoreUnavailable(f"the ids of messages cannot be kept: {error}; nothing was taken, try again")
