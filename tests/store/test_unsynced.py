"""Syncs that fail: one is survived, a second one in a row ends all writing."""

import sqlite3
from pathlib import Path

import pytest

from keeptime.errors import StoreFailed, StoreUnavailable
from keeptime.model.change import Change
from keeptime.store.sqlite_database import SqliteDatabase
from tests.store.given import NOW, message, opened

pytestmark = pytest.mark.sqlite


class Unsyncing:
    """A connection whose COMMIT fails as it does where fsync gives EIO."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection, self.left, self.statements = connection, 0, 0

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        self.statements += 1
        if statement == "COMMIT" and self.left:
            self.left -= 1
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return self.connection.execute(statement, *values)

    def __getattr__(self, name: str) -> object:
        return getattr(self.connection, name)


def commit(store: object, name: str) -> None:
    store.commit(Change(NOW, messages=(message(name),)))  # type: ignore[attr-defined]


def test_a_sync_that_failed_once_is_tried_again_and_a_second_failure_ends_all_writing(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        disk = Unsyncing(store.db.connection)
        store.db = SqliteDatabase(disk, "here")  # type: ignore[arg-type]
        disk.left = 1
        with pytest.raises(StoreUnavailable, match="the disk gave an error"):
            commit(store, "one")
        commit(store, "one")
        disk.left = 1
        with pytest.raises(StoreUnavailable):
            commit(store, "two")
        commit(store, "two")
        disk.left = 2
        with pytest.raises(StoreUnavailable):
            commit(store, "three")
        with pytest.raises(StoreFailed, match="could not be synced, twice"):
            commit(store, "three")
        before = disk.statements
        with pytest.raises(StoreFailed):
            commit(store, "four")
        store.close()
        assert disk.statements == before, "nothing is written any more"
    with opened(tmp_path) as store:
        assert [each.message_id for each in store.transitions("digits", 9)] == ["two", "one"]
