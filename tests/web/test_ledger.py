"""The ledger on the port: page by page, and its head as an anchor wherever a consumer may want to keep one."""

import json

import pytest

from keeptime.model.ledger import LedgerHead, LedgerRow
from keeptime.store.chain import verified
from keeptime.store.ledger import canonical, row_hash
from keeptime.testing.showable import NOW, FakeShowable, contract, view
from tests.web.conftest import Serve


def written(count: int) -> list[LedgerRow]:
    """A ledger of so many rows, every third of them a silence."""
    rows, previous = [], LedgerHead().hash
    for seq in range(1, count + 1):
        kind = "silence" if seq % 3 == 0 else "decision"
        fields = {"id": f"id-{seq}", "reason": "restart <b>"}
        found = row_hash(seq, NOW + seq, kind, "sentiment-latency", canonical(fields), previous)
        rows.append(LedgerRow(seq, NOW + seq, kind, "sentiment-latency", fields, previous, found))
        previous = found
    return rows


def test_pages_are_the_whole_ledger_and_its_head(serve: Serve) -> None:
    rows = written(7)
    where = serve(FakeShowable([view(contract())], ledger_rows=rows))
    found, after = [], 0
    while after is not None:
        page = json.loads(where.get(f"/api/v1/ledger?after={after}&limit=3").body)
        found += page["ledger"]
        after = page["next"]
    assert verified(LedgerRow(**row) for row in found).rows == 7
    assert page["head"] == {"seq": 7, "hash": rows[-1].hash, "anchor": f"7:{rows[-1].hash}"}
    assert json.loads(where.get("/api/v1/ledger/head").body) == page["head"]


def test_the_newest_of_a_kind_since_then(serve: Serve) -> None:
    where = serve(FakeShowable([view(contract())], ledger_rows=written(12)))
    newest = json.loads(where.get("/api/v1/ledger?limit=2").body)
    assert [row["seq"] for row in newest["ledger"]] == [11, 12]
    assert newest["next"] is None
    asked = f"/api/v1/ledger?kind=silence&contract=sentiment-latency&since={NOW + 6}"
    assert [row["seq"] for row in json.loads(where.get(asked).body)["ledger"]] == [6, 9, 12]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("kind=lie", "decision"),
        ("limit=0", "1 to 1000"),
        ("limit=1001", "1 to 1000"),
        ("after=-1", "whole number"),
        ("after=%C2%B2", "whole number"),
        ("since=yesterday", "Unix seconds"),
        ("since=nan", "Unix seconds"),
    ],
)
def test_what_means_nothing_is_refused(serve: Serve, asked: str, said: str) -> None:
    answer = serve(FakeShowable([view(contract())])).get(f"/api/v1/ledger?{asked}")
    assert answer.status == 400
    assert said in json.loads(answer.body)["error"]


def test_the_head_is_in_what_reports_are_made_of(serve: Serve) -> None:
    where = serve(FakeShowable([view(contract())], ledger_rows=written(2)))
    empty = str(LedgerHead())
    assert json.loads(where.get("/api/v1/contracts").body)["ledger"] == empty, "as of the snapshot"
    assert json.loads(where.get("/api/v1/periods?contract=sentiment-latency").body)["ledger"] == empty
