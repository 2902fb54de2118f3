"""The ledger's rows: appended with what they tell of or not at all, each hash over the row and the one before."""

import hashlib
from pathlib import Path

import pytest
import rfc8785

from keeptime.model.ledger import LedgerHead, LedgerKind
from keeptime.store.ledger import Ledger, canonical
from keeptime.store.stored import Stored
from tests.store.given import NOW, opened

ACKED = {"by": "ada", "reason": "known", "rows": [1, 2], "share": 0.1, "whole": 2.0}


def append(store: Stored, at: float, contract: str = "digits") -> LedgerHead:
    with store.db.transaction():
        return Ledger(store.db).append(at, LedgerKind.ACK, contract, ACKED)


def fail_after_append(store: Stored) -> None:
    with store.db.transaction():
        Ledger(store.db).append(NOW, LedgerKind.ACK, "digits", ACKED)
        raise RuntimeError("something else of the step fails")


def test_each_hash_is_over_the_canonical_row_and_the_hash_before(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        begun = Ledger(store.db).head()
        heads = [append(store, NOW + tenth / 10) for tenth in range(3)]
        previous = begun.hash
        for number, head in enumerate(heads, begun.seq + 1):
            at = NOW + (number - begun.seq - 1) / 10
            row = {"seq": number, "at": at, "kind": "ack", "contract": "digits", "fields": ACKED}
            previous = hashlib.sha256(rfc8785.dumps(row | {"previous": previous})).hexdigest()
            assert head == LedgerHead(number, previous)
        assert Ledger(store.db).head() == heads[-1]
    with opened(tmp_path) as store:  # which is a row itself: another epoch
        assert Ledger(store.db).head().seq == heads[-1].seq + 1


def test_a_row_is_there_with_its_transaction_or_not_at_all(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        first = append(store, NOW)
        with pytest.raises(RuntimeError, match="something else"):
            fail_after_append(store)
        assert Ledger(store.db).head() == first
        assert append(store, NOW).seq == first.seq + 1


def test_canonical_json_is_that_of_rfc_8785() -> None:
    assert canonical({"b": 1.0, "a": [1e21, 1e-7, 0.1, True, None], "€": "\n\u2028é"}) == (
        '{"a":[1e+21,1e-7,0.1,true,null],"b":1,"€":"\\n\u2028é"}'.encode()
    )
    assert canonical("half \ud800 a pair") == b'"half ? a pair"'
    for wrong in (2**53, float("nan"), float("inf")):
        with pytest.raises(ValueError):
            canonical({"number": wrong})


def test_an_anchor_is_read_as_it_is_written() -> None:
    head = LedgerHead(12, "a" * 64)
    assert LedgerHead.read(str(head)) == head
    assert LedgerHead.read(str(LedgerHead())) == LedgerHead()
    for wrong in ("", "12", f"12:{'A' * 64}", f"-1:{'a' * 64}", f"12:{'a' * 63}", f"١:{'a' * 64}"):
        with pytest.raises(ValueError, match="SEQ:HASH"):
            LedgerHead.read(wrong)
