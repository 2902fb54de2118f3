"""Dead letters outlive a restart and are kept for good; a store without a daemon can be looked into."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from keeptime.errors import StoreBusy, StoreUnavailable
from keeptime.model.change import Change
from keeptime.store.offline import letters_of
from keeptime.store.posting import KEEP_SECONDS
from tests.store.given import NOW, message, older, opened


def parked(directory: Path, *names: str) -> None:
    """A store with these messages, all of them dead letters."""
    with opened(directory) as store:
        store.commit(Change(NOW, messages=tuple(message(name) for name in names)))
        store.gave_up(store.heads(NOW)[0].row, NOW, "it answered 410", channel=True)


def test_a_dead_letter_outlives_a_restart_and_90_days(tmp_path: Path) -> None:
    parked(tmp_path, "m1", "m2")
    with opened(tmp_path) as store:
        store.commit(Change(NOW + KEEP_SECONDS * 2, messages=(message("m3"),)))
        assert [each.message_id for each in store.letters(dead=True, most=9)] == ["m1", "m2"]
        assert [each.message_id for each in store.heads(NOW * 2)] == ["m3"]
        assert [each.waiting for each in store.outbox_summary()] == [1]


def test_a_waiting_rows_schedule_outlives_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"),)))
        store.failed(store.heads(NOW)[0].row, NOW, NOW + 300, "it answered 500")
    with opened(tmp_path) as store:
        assert (store.heads(NOW + 299), store.next_due()) == ([], NOW + 300)
        assert store.heads(NOW + 300)[0].attempts == 1


def test_an_older_store_gets_its_dead_letters(tmp_path: Path) -> None:
    with closing(older(tmp_path, 3)) as old:
        assert old.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
    parked(tmp_path, "m1")


@pytest.mark.sqlite
def test_without_a_daemon_they_are_listed_and_replayed(tmp_path: Path) -> None:
    parked(tmp_path, "m1", "m2")
    with letters_of(tmp_path) as letters:
        assert [each.message_id for each in letters.list(dead=True, most=9)] == ["m1", "m2"]
        assert letters.replay(NOW + 5, rows=None, contract="digits") == 2
    with opened(tmp_path) as store:
        assert store.heads(NOW + 5)[0].message_id == "m1"


@pytest.mark.sqlite
def test_a_store_in_use_or_none_at_all_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="there is no store"), letters_of(tmp_path / "none"):
        pass
    assert not (tmp_path / "none").exists()
    with opened(tmp_path), pytest.raises(StoreBusy, match="another keeptime"), letters_of(tmp_path):
        pass


def test_a_discarded_one_is_in_the_ledger_and_cut_off_after_90_days(tmp_path: Path) -> None:
    parked(tmp_path, "m1", "m2")
    with opened(tmp_path) as store:
        assert store.discard(NOW + 5, "ada", "the team is gone", rows=[1], contract=None) == 1
        assert [each.message_id for each in store.letters(dead=True, most=9)] == ["m2"]
        (fields,) = store.db.execute("SELECT fields FROM ledger WHERE kind = 'discarded'").fetchone()
        said = json.loads(fields)
        assert (said["id"], said["author"], said["reason"]) == ("m1", "ada", "the team is gone")
        store.commit(Change(NOW, messages=(message("m3"),)))
        store.delivered(store.heads(NOW)[0].row, NOW, "204")
        for later, kept in ((KEEP_SECONDS, [1, 2, 3]), (KEEP_SECONDS + 6, [2, 3])):
            store.commit(Change(NOW + later))
            assert [row for (row,) in store.db.execute("SELECT row FROM outbox ORDER BY row")] == kept
