"""What waits is sent to its receiver as the contract writes it now."""

from dataclasses import replace
from pathlib import Path

from keeptime.model.change import Change
from tests.store.given import HOOK, LOG, NOW, message, opened

ROTATED = replace(HOOK, secret="env:NEW_SECRET", allow=("10.0.0.0/8",))


def test_a_waiting_row_takes_the_address_as_it_is_written_now(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"),)))
        store.commit(Change(NOW, addresses=(("digits", ROTATED), ("other", LOG))))
        (head,) = store.heads(NOW)
        assert head.address == ROTATED
        assert [each.address for each in store.outbox_summary()] == [ROTATED]
    with opened(tmp_path) as store:
        assert store.heads(NOW)[0].address == ROTATED


def test_an_address_of_an_older_store_allows_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"),)))
        store.db.execute("UPDATE route SET fields = ?", ('{"audience":"checkout","kind":"webhook","target":"x"}',))
        assert store.heads(NOW)[0].address.allow == ()
