"""A row of the ledger of a real run is edited or cut off: `keeptime ledger verify` says so, and which."""

import hashlib
import json
import sqlite3
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from tests.cli.commands import run
from tests.faults.scene import scene

Out = pytest.CaptureFixture[str]
NUMBERS = ("audience", "epoch", "sequence", "previous_id", "missing")


def verify(capsys: Out, data: Path, *anchors: str) -> tuple[int, dict[str, Any]]:
    options = [word for anchor in anchors for word in ("--anchor", anchor)]
    capsys.readouterr()
    code = run("ledger", "verify", "--json", "--data", str(data), *options)
    return code, json.loads(capsys.readouterr().out)


def attacked(data: Path, name: str, statement: str) -> Path:
    """A copy of the store in which this was done."""
    copy = data.with_name(name)
    copytree(data, copy)
    with sqlite3.connect(copy / "keeptime.db") as db:
        assert db.execute(statement).rowcount > 0
    db.close()
    return copy


def test_fault_44_a_ledger_row_edited_or_cut_fails_verify(tmp_path: Path, capsys: Out) -> None:
    with scene(tmp_path) as stage:
        stage.keeptime.start()
        stage.breach()
        assert stage.keeptime.end() == 0
        data, (_, body) = stage.keeptime.data, stage.told.received[0]
        rows = stage.keeptime.rows("SELECT seq, kind, fields, hash FROM ledger ORDER BY seq")
    said = json.loads(body)
    seq, fields = next((row[0], json.loads(str(row[2]))) for row in rows if row[1] == "decision")
    rest = {name: value for name, value in said.items() if name not in NUMBERS}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert (fields["id"], fields["body_sha256"]) == (said["id"], hashlib.sha256(text.encode()).hexdigest())
    assert {"epoch", "contract", "decision", "delivery"} <= {str(row[1]) for row in rows}

    anchor = f"{len(rows)}:{rows[-1][3]}"
    sound = {"sound": True, "rows": len(rows), "anchor": anchor, "first_bad": None, "differences": []}
    assert verify(capsys, data, anchor) == (0, sound)
    for name, statement in (
        ("edited", f"UPDATE ledger SET at = at - 3600 WHERE seq = {seq}"),
        ("removed", f"DELETE FROM ledger WHERE seq = {seq}"),
        ("cut", f"DELETE FROM ledger WHERE seq >= {seq}"),
    ):
        code, found = verify(capsys, attacked(data, name, statement), anchor)
        assert (code, found["first_bad"]["seq"]) == (1, seq), name
    code, found = verify(capsys, data.with_name("cut"))
    assert (code, bool(found["differences"])) == (1, True), "the outbox still tells of what was cut off"
