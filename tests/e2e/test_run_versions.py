"""A contract is edited while it is kept: a new version, and all that belongs to the old one stays."""

import json
import signal
from pathlib import Path

import pytest

from tests.cli.commands import run
from tests.e2e.keeping import keeping, terms, until
from tests.e2e.peers import model

Out = pytest.CaptureFixture[str]


def test_an_edit_is_a_new_version_and_keeps_what_the_old_one_said_and_counted(tmp_path: Path, capsys: Out) -> None:
    with model() as served, keeping(tmp_path / "k", terms(served.url)) as one:
        one.start()
        before = int(one.await_events(10)["good"])  # type: ignore[call-overload]
        first = one.view()["version"]
        one.write(terms(served.url).replace("90%", "95%"))
        one.signal(signal.SIGHUP)
        until(lambda: one.view()["version"] != first, 20, "the edit to be read")
        second = one.view()["version"]
        found = one.await_events(before + 5)
        assert (found["target"], int(found["good"]) > before) == (0.95, True), "counts of before go on"  # type: ignore[call-overload]
        assert run("ledger", "list", "--kind", "contract", "--json", "--url", one.url) == 0
        rows = [row["fields"] for row in json.loads(capsys.readouterr().out)["ledger"]]
        said = [(row["change"], row["before"], row["version"]) for row in rows]
        assert said == [("new", None, first), ("edited", first, second)]
        assert all(row["sha256"].startswith(row["version"]) for row in rows), "a version begins its text's hash"
        assert run("ledger", "contract", "kept", "--json", "--data", str(one.data)) == 0
        newest, old = json.loads(capsys.readouterr().out)["versions"]
        assert (newest["version"], newest["until"], old["version"]) == (second, None, first)
        targets = [each["written"]["objectives"][0]["target"] for each in (old, newest)]
        assert targets == [["9", "10"], ["19", "20"]]
        assert "env:HOOK_SECRET" in json.dumps(old["written"])
        assert one.environment["HOOK_SECRET"] not in json.dumps([old, newest])
        assert one.end() == 0
        assert run("ledger", "verify", "--data", str(one.data)) == 0
