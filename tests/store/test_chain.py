"""Whatever is done to a ledger, verifying finds it, and names the first bad row."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from keeptime.model.change import Change
from keeptime.model.ledger import LedgerHead, LedgerQuery, LedgerRow, Verified
from keeptime.model.version import ContractVersion
from keeptime.store.audit import Audit
from keeptime.store.chain import verified
from keeptime.store.ledger import Ledger, canonical, row_hash
from keeptime.store.looking import looking_at
from tests.store.given import FAST, HOOK, LOG, NOW, message, opened

pytestmark = pytest.mark.sqlite

COUNT = 8


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with so many rows: an epoch, a contract, two decisions, four deliveries."""
    with opened(tmp_path) as store:
        edition = ContractVersion("digits", "v1", "digits.yaml", "{}")
        two = tuple(message(name, FAST, HOOK, LOG) for name in ("one", "two"))
        store.commit(Change(NOW, versions=(edition,), messages=two))
        for row in (1, 2, 3, 4):
            store.delivered(row, NOW + row, "204")
        assert store.ledger_head().seq == COUNT
    return tmp_path


def verify(folder: Path, *anchors: LedgerHead) -> Verified:
    with looking_at(folder) as db:
        audit = Audit(db)
        found = verified(audit.seeing(Ledger(db).all()), anchors)
        return found if found.fault else replace(found, differences=audit.differences())


def head(folder: Path) -> LedgerHead:
    with looking_at(folder) as db:
        return Ledger(db).head()


def attack(folder: Path, *statements: str) -> None:
    with sqlite3.connect(folder / "keeptime.db") as db:
        for statement in statements:
            db.execute(statement)
    db.close()


def written_anew(folder: Path, seq: int, change: Callable[[LedgerRow], LedgerRow]) -> None:
    """What a patient attacker does: change one row, and the hashes of all that follow."""
    with looking_at(folder) as db:
        rows = list(Ledger(db).all())
    previous = LedgerHead().hash
    with sqlite3.connect(folder / "keeptime.db") as db:
        for row in rows:
            row = change(row) if row.seq == seq else row
            said = canonical(row.fields)
            previous = row_hash(row.seq, row.at, row.kind, row.contract, said, previous)
            db.execute("UPDATE ledger SET fields = ?, hash = ? WHERE seq = ?", (said.decode(), previous, row.seq))
    db.close()


def test_a_ledger_that_nobody_touched_is_sound(folder: Path) -> None:
    found = verify(folder, head(folder), LedgerHead())
    assert found == Verified(COUNT, head(folder))
    assert found.sound


@pytest.mark.parametrize("seq", range(1, COUNT + 1))
@pytest.mark.parametrize(
    "edit",
    [
        "at = at + 0.001",
        "kind = 'ack'",
        "contract = contract || 'x'",
        "fields = replace(fields, ':', ': ')",
        "fields = replace(fields, '}', ',\"more\":1}')",
        "fields = 'no JSON'",
        "hash = 'x' || substr(hash, 2)",
    ],
)
def test_an_edited_row_is_named(folder: Path, seq: int, edit: str) -> None:
    attack(folder, f"UPDATE ledger SET {edit} WHERE seq = {seq}")
    fault = verify(folder).fault
    assert fault is not None
    assert fault.seq == seq


@pytest.mark.parametrize("seq", range(1, COUNT))
def test_a_removed_row_is_named_and_so_are_two_in_another_order(folder: Path, seq: int) -> None:
    attack(folder, f"DELETE FROM ledger WHERE seq = {seq}")
    fault = verify(folder).fault
    assert fault is not None
    assert (fault.seq, "missing" in fault.why) == (seq, True)


@pytest.mark.parametrize("seq", range(1, COUNT))
def test_two_rows_that_changed_places_are_found(folder: Path, seq: int) -> None:
    moves = (f"SET seq = -1 WHERE seq = {seq}", f"SET seq = {seq} WHERE seq = {seq + 1}")
    attack(folder, *(f"UPDATE ledger {each}" for each in (*moves, f"SET seq = {seq + 1} WHERE seq = -1")))
    fault = verify(folder).fault
    assert fault is not None
    assert fault.seq == seq


def test_an_inserted_row_is_found_with_and_without_numbers_of_its_own(folder: Path) -> None:
    copy = "INSERT INTO ledger SELECT {}, at, kind, contract, fields, hash FROM ledger WHERE seq = 3"
    attack(folder, copy.format(COUNT + 1))
    fault = verify(folder).fault
    assert fault is not None
    assert fault.seq == COUNT + 1


def test_an_end_that_was_cut_off_is_found_by_an_anchor(folder: Path) -> None:
    anchor = head(folder)
    attack(
        folder,
        "DELETE FROM ledger WHERE seq > 4",
        "UPDATE outbox SET delivered = NULL",
    )
    assert verify(folder).sound, "nothing inside tells of it"
    fault = verify(folder, anchor).fault
    assert fault is not None
    assert (fault.seq, "missing" in fault.why) == (5, True)


def test_a_chain_that_was_written_anew_is_found_by_an_anchor(folder: Path) -> None:
    anchor = head(folder)
    written_anew(folder, 3, lambda row: replace(row, fields={**row.fields, "reason": "nothing happened"}))
    assert verify(folder).sound, "it is a whole chain, and the store says nothing else of a reason"
    fault = verify(folder, anchor).fault
    assert fault is not None
    assert (fault.seq, "written anew" in fault.why) == (COUNT, True)
    other = LedgerHead(anchor.seq, "0" * 64)
    assert verify(folder, anchor, other).fault is not None


def test_what_the_rest_of_the_store_says_else_is_found(folder: Path) -> None:
    attack(folder, "UPDATE message SET body = X'7B7D' WHERE message_id = 'two'")
    (difference,) = verify(folder).differences
    assert (difference.seq, "another body" in difference.why) == (4, True)
    attack(
        folder,
        "UPDATE contract_version SET written = '{\"target\":0.5}'",
        "UPDATE outbox SET delivered = NULL WHERE row = 3",
        "INSERT INTO message SELECT 9, 'nine', objective, topic, tick, created, body FROM message WHERE id = 1",
        "INSERT INTO outbox (row, message, route, objective, created, next_try, delivered) "
        "SELECT 9, 9, route, objective, created, next_try, created FROM outbox WHERE row = 1",
    )
    found = verify(folder)
    assert found.fault is None
    assert [each.seq for each in found.differences] == [2, 4, 7, 0, 0]
    assert not found.sound


def test_what_retention_has_cut_off_is_not_missed(folder: Path) -> None:
    attack(folder, "DELETE FROM outbox WHERE message = 1", "DELETE FROM message WHERE id = 1")
    assert verify(folder).sound


def test_rows_are_found_by_page_kind_contract_and_time(folder: Path) -> None:
    with opened(folder) as store:
        assert [row.seq for row in store.ledger(LedgerQuery(most=3))] == [7, 8, 9]
        assert [row.seq for row in store.ledger(LedgerQuery(after=2, most=2))] == [3, 4]
        assert [row.seq for row in store.ledger(LedgerQuery(before=5, most=2))] == [3, 4]
        assert [row.seq for row in store.ledger(LedgerQuery(kind="delivery", since=NOW + 3))] == [7, 8]
        assert store.ledger(LedgerQuery(contract="other")) == ()
        first, second, third = store.ledger(LedgerQuery(after=0, most=3))
        assert (first.previous, second.previous) == ("0" * 64, first.hash)
        assert third.fields["id"] == "one"
        assert json.loads(canonical(third.fields)) == third.fields
