"""One step is whole or nothing; messages go out once, in order, and are kept as long as promised."""

from pathlib import Path

import pytest

from keeptime.errors import StoreError, StoreUnavailable
from keeptime.model.alert import AlertRow, AlertState, Topic
from keeptime.model.change import Change
from keeptime.model.tally import Tally, TickRecord
from keeptime.model.verdict import Condition, Severity
from keeptime.tell.ports import Outbox
from tests.store.given import FAST, FIRST, HOOK, LOG, NOW, RIGHT, counted, message, opened

DAY = 86_400.0


def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    rows = (
        AlertRow(FAST, AlertState.FIRING, Condition.BROKEN, Severity.PAGE, NOW, NOW - 5, frozenset(Topic)),
        AlertRow(RIGHT, AlertState.INACTIVE, Condition.OK, None, NOW, None),
    )
    with opened(tmp_path) as store:
        as_telling_wants_it: Outbox = store
        assert as_telling_wants_it.next_due() is None
        store.commit(
            Change(NOW, counted(FIRST).record, {"rule": b"\x00\xff", "empty": b""}, rows, (message("m1"),))
        )
    with opened(tmp_path, tick=FIRST + 9) as store:
        assert store.memory() == {"rule": b"\x00\xff", "empty": b""}
        assert store.alerts() == {row.key: row for row in rows}
        assert [row.message_id for row in store.heads(NOW)] == ["m1"]
        assert store.heads(NOW)[0].address == HOOK
        assert store.last_tick() == FIRST
        assert list(store.histories(FIRST + 9)) == [FAST]


@pytest.mark.sqlite
def test_a_failed_commit_leaves_nothing(tmp_path: Path) -> None:
    """The disk is full: no count, name, alert or message of it remains, and the same step works later."""
    step = Change(
        NOW,
        TickRecord(FIRST + 1, {FAST: Tally(1), RIGHT: Tally(2)}),
        {"rule": bytes(10_000_000)},
        messages=(message("m1", RIGHT),),
    )
    with opened(tmp_path) as store:
        store.commit(counted(FIRST))
        pages = store.db.execute("PRAGMA page_count").fetchone()[0]
        store.db.execute(f"PRAGMA max_page_count = {pages + 100}")
        with pytest.raises(StoreUnavailable, match=r"keeptime\.db: the disk is full.*trying again helps") as caught:
            store.commit(step)
        assert caught.value.retry
        assert (store.last_tick(), store.memory(), store.next_due()) == (FIRST, {}, None)
        assert list(store.histories(FIRST + 2)) == [FAST]
        store.db.execute("PRAGMA max_page_count = 1000000")
        store.commit(step)
        assert list(store.histories(FIRST + 2)) == [FAST, RIGHT]
        assert [row.message_id for row in store.heads(NOW)] == ["m1"]
        assert list(store.db.execute("PRAGMA foreign_key_check")) == []


def test_a_message_is_written_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for at in (NOW, NOW + 1):
            store.commit(Change(at, messages=(message("m1", FAST, HOOK, LOG),)))
        assert [(row.message_id, row.created) for row in store.heads(NOW + 9)] == [("m1", NOW)] * 2
        assert [summary.waiting for summary in store.outbox_summary()] == [1, 1]


def test_marking_twice_counts_once_and_an_unknown_row_is_an_error(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"),)))
        (row,) = store.heads(NOW)
        store.failed(row.row, NOW, NOW + 5, "503")
        assert [(r.failed_attempts, r.last_error, r.oldest) for r in store.outbox_summary()] == [(1, "503", NOW)]
        store.delivered(row.row, NOW + 5, "204")
        store.delivered(row.row, NOW + 6, "204")
        store.failed(row.row, NOW + 7, NOW + 9, "late")
        (summary,) = store.outbox_summary()
        assert (summary.delivered, summary.failed_attempts, summary.waiting) == (1, 1, 0)
        assert (summary.oldest, summary.last_error, summary.address) == (None, "", HOOK)
        with pytest.raises(StoreError, match="no row 99"):
            store.delivered(99, NOW, "204")


def test_what_an_address_needs_comes_back_as_it_was(tmp_path: Path) -> None:
    mail = type(HOOK)("checkout", "email", "a@example.com", options=(("server", "127.0.0.1:25"), ("tls", "none")))
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1", FAST, mail),)))
        assert [row.address for row in store.heads(NOW)] == [mail]
        assert [waiting.address.option("server") for waiting in store.waiting()] == ["127.0.0.1:25"]


def test_a_rotated_secret_reaches_what_waits(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"),)))
        rotated = type(HOOK)(HOOK.audience, HOOK.kind, HOOK.target, "file:/run/new")
        store.commit(Change(NOW, messages=(message("m2", FAST, rotated),)))
        assert [(row.message_id, row.address) for row in store.heads(NOW)] == [("m1", rotated)]


def test_old_messages_go_but_never_an_unsent_one_nor_the_newest(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for name in ("m1", "m2"):
            store.commit(Change(NOW, messages=(message(name), message(f"{name}-right", RIGHT, LOG))))
        for name in ("m1", "m2"):
            row = next(row for row in store.heads(NOW) if row.message_id == name)
            store.delivered(row.row, NOW, "204")
        store.commit(Change(NOW + 89 * DAY))
        assert len(store.transitions("digits", 10)) == 4
        store.commit(Change(NOW + 91 * DAY))
        kept = [transition.message_id for transition in store.transitions("digits", 10)]
        assert kept == ["m2-right", "m2", "m1-right"]
        assert [row.message_id for row in store.latest("webhook")] == ["m2"]
        assert [row.message_id for row in store.heads(NOW + 91 * DAY)] == ["m1-right"]
        assert store.outbox_summary()[0].delivered == 2


def test_transitions_are_of_one_contract_newest_first(tmp_path: Path) -> None:
    other = FAST._replace(contract="other")
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("m1"), message("m2", other), message("m3"))))
        found = store.transitions("digits", 10)
        assert [(t.message_id, t.key, t.created) for t in found] == [("m3", FAST, NOW), ("m1", FAST, NOW)]
        assert len(store.transitions("digits", 1)) == 1
