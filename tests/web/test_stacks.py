"""Where slow requests stood: on the page of an incident, and by `keeptime stacks`."""

import gzip
import json
from pathlib import Path

import pytest

from keeptime.errors import KeeptimeError, StoreError
from keeptime.model.exemplar import Exemplar
from keeptime.model.trace import Why
from keeptime.testing.showable import FakeShowable, contract, view
from tests.cli.commands import run
from tests.web.cards import words
from tests.web.conftest import Serve
from tests.web.test_incidents import LASTS, WORST, happened

URL = f"/incidents/{WORST.id}"
Out = pytest.CaptureFixture[str]
CULPRIT = "faults.Work.predict (faults.py:92)"
ODD = '<script>alert("x")</script> (x.py:1)'
NAME = contract().name


@pytest.fixture
def daemon() -> FakeShowable:
    shown = FakeShowable([view(contract())], happened=happened())
    stacks = ((f"app.predict (app.py:3);{CULPRIT};[waiting]", 30), (f"app.predict (app.py:4);{ODD}", 10))
    within, before = round((WORST.started + 5) * 1e9), round((WORST.started - 1800) * 1e9)
    shown.explaining.kept = [
        Exemplar(NAME, before, 10**9, Why.SLOW, stacks=(("app.predict (app.py:3);model.read (m.py:1)", 9),)),
        Exemplar(NAME, within, 10**9, Why.SLOW, weight=2.0, stacks=stacks),
        Exemplar(NAME, within, 10**9, Why.FAILED, failure="timeout"),
    ]
    return shown


def test_the_page_shows_where_they_stood_and_says_it_in_words(serve: Serve, daemon: FakeShowable) -> None:
    where = serve(daemon)
    page = where.get(URL).text
    text = words(page)
    assert f"75% of the time that was seen: {CULPRIT}, waiting" in text
    assert "Of 1 late request:" in text
    assert "what 1 usual one did less" in text
    assert "<script>alert" not in page
    assert "style=" not in page
    assert page.count("<title>") >= 6
    assert where.get("/static/flame.css").status == 200
    assert "/static/flame.css" in page
    assert "/static/flame.css" not in where.get(f"/incidents/{LASTS.id}").text


def test_a_store_that_cannot_be_read_is_said(serve: Serve, daemon: FakeShowable) -> None:
    daemon.explaining.wrong = StoreError("the disk is full")
    assert serve(daemon).get(URL).status == 503


def test_the_command_says_it_as_a_table_and_as_json(serve: Serve, daemon: FakeShowable, capfd: Out) -> None:
    where = serve(daemon)
    assert run("stacks", WORST.id, "--url", where.url) == 0
    said = capfd.readouterr().out
    assert said.startswith(f"{WORST.id}: 75% of the time that was seen: {CULPRIT}, waiting\n")
    assert f"     75%  {CULPRIT}  [waiting]\n" in said
    assert run("stacks", WORST.id, "--url", where.url, "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["requests"], found["rows"][0]) == (1, {"share": 0.75, "place": CULPRIT, "did": "waiting"})


@pytest.mark.parametrize("kind", ["folded", "speedscope", "pprof", "svg"])
def test_the_command_writes_what_other_tools_read(
    serve: Serve, daemon: FakeShowable, tmp_path: Path, kind: str, capfd: Out
) -> None:
    where, file = serve(daemon), tmp_path / "out"
    assert run("stacks", WORST.id, "--format", kind, "-o", str(file), "--url", where.url) == 0
    assert "2 stacks of 1 requests" in capfd.readouterr().err
    written = file.read_bytes()
    begins = {"folded": b"app.predict", "speedscope": b'{\n  "$schema"', "pprof": b"\x1f\x8b", "svg": b"<svg xmlns"}
    assert written.startswith(begins[kind])
    text = gzip.decompress(written) if kind == "pprof" else written
    assert b"faults.Work.predict" in text


def test_of_a_contract_and_a_time_and_of_nothing(serve: Serve, daemon: FakeShowable, capfd: Out) -> None:
    where = serve(daemon)
    assert run("stacks", NAME, "--since", "2020-01-01", "--format", "folded", "--url", where.url) == 0
    assert capfd.readouterr().out.count("\n") == 3
    with pytest.raises(KeeptimeError, match="no stack of a slow request is kept"):
        run("stacks", NAME, "--since", "2040-01-01", "--url", where.url)
    with pytest.raises(KeeptimeError, match="no stack of a slow request is kept"):
        run("stacks", "--url", where.url)
