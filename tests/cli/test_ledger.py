"""`keeptime ledger`, with a daemon that answers, with the store, and with what was exported."""

import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.cli.ledger import _what
from keeptime.cli.ledger_sources import exported
from keeptime.errors import KeeptimeError, UsageError
from keeptime.model.change import Change
from keeptime.model.version import ContractVersion
from keeptime.store.chain import verified
from keeptime.testing.showable import FakeShowable
from tests.cli.commands import run
from tests.nobody import nobody_listening
from tests.store.given import FAST, HOOK, LOG, NOW, message, opened
from tests.web.conftest import served
from tests.web.test_ledger import written

ROOT = Path(__file__).resolve().parents[2]
Out = pytest.CaptureFixture[str]


@pytest.fixture
def data(tmp_path: Path) -> str:
    with opened(tmp_path / "data") as store:
        for number in (1, 2):
            version = ContractVersion("digits", f"v{number}", "digits.yaml", f'{{"target":0.{number}}}')
            store.commit(Change(NOW + number, versions=(version,)))
        store.commit(Change(NOW, messages=(message("one", FAST, HOOK, LOG),)))
        store.delivered(1, NOW + 1, "204")
    return str(tmp_path / "data")


def test_it_is_listed_by_kind_and_time(data: str, capsys: Out) -> None:
    assert run("ledger", "list", "--data", data) == 0
    shown = capsys.readouterr().out
    assert "delivery" in shown
    assert "audience: checkout" in shown
    assert run("ledger", "list", "--kind", "contract", "--json", "--data", data) == 0
    rows = json.loads(capsys.readouterr().out)["ledger"]
    assert [(row["fields"]["before"], row["fields"]["version"]) for row in rows] == [(None, "v1"), ("v1", "v2")]
    assert run("ledger", "list", "--since", "2030-01-01", "--data", data) == 0
    assert capsys.readouterr().out == "there is no such row\n"
    with pytest.raises(SystemExit):
        run("ledger", "list", "--kind", "nothing", "--data", data)
    assert "choose from 'decision', 'delivery'" in capsys.readouterr().err


def test_what_a_contract_said_before_its_edit_is_kept(data: str, capsys: Out) -> None:
    assert run("ledger", "contract", "digits", "--data", data, "--json") == 0
    newest, first = json.loads(capsys.readouterr().out)["versions"]
    assert (newest["written"], newest["until"]) == ({"target": 0.2}, None)
    assert (first["written"], first["since"], first["until"]) == ({"target": 0.1}, NOW + 1, NOW + 2)
    assert run("ledger", "contract", "digits", "--data", data) == 0
    assert '"target": 0.2' in capsys.readouterr().out
    assert run("ledger", "contract", "nobody", "--data", data) == 1
    assert capsys.readouterr().out == "nothing is kept of a contract 'nobody'\n"


def test_verify_says_yes_or_which_row_and_exits_by_it(data: str, capsys: Out) -> None:
    assert run("ledger", "head", "--data", data) == 0
    anchor = capsys.readouterr().out.strip()
    assert run("ledger", "verify", "--data", data, "--anchor", anchor) == 0
    assert "5 rows" in capsys.readouterr().out
    with sqlite3.connect(Path(data) / "keeptime.db") as db:
        db.execute("DELETE FROM ledger WHERE seq = 5")
    db.close()
    assert run("ledger", "verify", "--data", data, "--json", "--anchor", anchor) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["sound"], found["rows"], found["first_bad"]["seq"]) == (False, 4, 5)
    assert run("ledger", "verify", "--data", data) == 1, "the outbox says that there was a delivery"
    assert "no row tells of it" in capsys.readouterr().out


def test_an_export_is_verified_by_the_lines_of_python_in_the_docs(data: str, tmp_path: Path, capsys: Out) -> None:
    file = tmp_path / "ledger.ndjson"
    assert run("ledger", "export", "--data", data, "-o", str(file)) == 0
    run("ledger", "head", "--data", data)
    anchor = capsys.readouterr().out.strip()
    (lines,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/ledger.md").read_text(), re.DOTALL)
    alone = [sys.executable, "-c", lines]
    done = subprocess.run(alone, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, anchor), done.stderr
    assert "keeptime" not in re.sub("#.*", "", lines), "it needs nothing of keeptime's"
    assert run("ledger", "verify", "--file", str(file), "--anchor", anchor) == 0
    whole = file.read_text().splitlines(keepends=True)
    for forged in (
        whole[:1] + whole[2:],
        [whole[1], whole[0], *whole[2:]],
        [whole[0], whole[1].replace("v1", "v3"), *whole[2:]],
    ):
        file.write_text("".join(forged))
        done = subprocess.run(alone, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode != 0
        assert run("ledger", "verify", "--file", str(file)) == 1
    file.write_text("no row\n")
    with pytest.raises(KeeptimeError, match=r"ledger\.ndjson:1: this is no row"):
        run("ledger", "verify", "--file", str(file))


def test_a_running_keeptime_is_asked(capsys: Out) -> None:
    rows = written(5)
    with served(FakeShowable(ledger_rows=rows)) as where:
        assert run("ledger", "head", "--json", "--url", where.url) == 0
        head = json.loads(capsys.readouterr().out)
        assert head["anchor"] == f"5:{rows[-1].hash}"
        assert run("ledger", "verify", "--url", where.url, "--anchor", head["anchor"]) == 0
        assert run("ledger", "verify", "--url", where.url, "--anchor", f"6:{rows[-1].hash}") == 1
        capsys.readouterr()
        assert run("ledger", "list", "--kind", "silence", "--limit", "1", "--json", "--url", where.url) == 0
        assert [row["seq"] for row in json.loads(capsys.readouterr().out)["ledger"]] == [3]


def test_what_cannot_be_read_is_one_clear_error(tmp_path: Path, data: str) -> None:
    with nobody_listening() as port, pytest.raises(KeeptimeError, match="no keeptime answers"):
        run("ledger", "verify", "--url", f"http://127.0.0.1:{port}")
    with pytest.raises(KeeptimeError, match="there is no store"):
        run("ledger", "list", "--data", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="one of"):
        run("ledger", "verify", "--data", data, "--file", "x")
    for wrong in (("--anchor", "12"), ("--since", "soon")):
        with pytest.raises(SystemExit):
            run("ledger", "verify" if "anchor" in wrong[0] else "list", *wrong)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda more: st.lists(more, max_size=3) | st.dictionaries(st.text(), more, max_size=3),
    max_leaves=4,
)
NAMES = ("at", "kind", "contract", "fields", "previous", "hash")
ROWS = st.fixed_dictionaries(dict.fromkeys(NAMES, ANY_JSON) | {"seq": st.just(1) | ANY_JSON})
LINES = st.binary(max_size=200) | (ROWS | ANY_JSON).map(lambda value: json.dumps(value).encode())


def sound(file: Path) -> bool:
    """Is there a row, and are all what was written? What is no row is said to be none."""
    try:
        rows = list(exported(file))
        return bool(rows) and verified(rows).sound
    except KeeptimeError as error:
        return "is no row of a ledger" not in str(error)


@given(LINES)
@settings(max_examples=50, deadline=None)
def test_whatever_stands_in_an_export_is_no_sound_ledger_and_no_crash(line: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.ndjson"
        file.write_bytes(line)
        assert not sound(file)


@pytest.mark.parametrize("depth", [300, 900, 990, 100_000])
def test_a_row_that_is_nested_without_end_is_no_row(tmp_path: Path, depth: int) -> None:
    row = {"seq": 1, "at": 0, "kind": "ack", "contract": "", "previous": "0" * 64, "hash": "", "fields": None}
    (tmp_path / "deep").write_text(json.dumps(row).replace("null", "[" * depth + "]" * depth))
    assert not sound(tmp_path / "deep")


def test_it_is_read_beside_a_daemon_that_writes(tmp_path: Path, capsys: Out) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("one"),)))
        assert run("ledger", "verify", "--data", str(tmp_path)) == 0
        store.commit(Change(NOW, messages=(message("two"),)))
        assert run("ledger", "list", "--json", "--data", str(tmp_path)) == 0
        assert "two" in capsys.readouterr().out


def test_what_has_parts_of_its_own_is_shown_as_words() -> None:
    row = {"fields": {"to": {"audience": "operators", "receiver": "webhook"}, "note": None, "objective": ""}}
    assert _what(row) == "to: operators webhook"
