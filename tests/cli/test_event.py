"""`keeptime event`, with a daemon that answers."""

import json

import pytest

from keeptime.errors import KeeptimeError, StoreError, UsageError
from keeptime.model.event import Event, EventKind
from keeptime.testing.showable import FakeShowable, contract, view
from tests.cli.commands import run
from tests.nobody import nobody_listening
from tests.web.conftest import served

Out = pytest.CaptureFixture[str]


def test_what_is_told_is_marked_once_under_its_key_and_listed(capsys: Out) -> None:
    daemon = FakeShowable([view(contract())])
    with served(daemon) as where:
        told = ("deploy", "sentiment-latency", "--version", "v2", "--author", "ci", "--at", "2026-11-26T08:00Z")
        more = ("--text", "tokenizer", "--link", "https://ci.example/4", "--key", "job-4", "--url", where.url)
        assert run("event", *told, *more) == 0
        said = "event 1: deploy of sentiment-latency at 2026-11-26 08:00:00Z is marked"
        assert capsys.readouterr().out == f"{said}\n"
        assert run("event", *told, *more) == 0
        assert capsys.readouterr().out == f"{said}, as it was before\n"
        for _ in range(2):
            assert run("event", "config", "--author", "ann", "--json", "--url", where.url) == 0
            assert json.loads(capsys.readouterr().out)["event"]["contracts"] == []
        assert daemon.happened.marked[0] == Event(
            1, EventKind.DEPLOY, 1795680000.0, ("sentiment-latency",), "ci", "v2", "tokenizer",
            "https://ci.example/4", key="job-4",
        )  # fmt: skip
        assert len({each.key for each in daemon.happened.marked} - {""}) == 3
        assert run("event", "list", "sentiment-latency", "--kind", "deploy", "--json", "--url", where.url) == 0
        assert [each["id"] for each in json.loads(capsys.readouterr().out)["events"]] == [1]
        assert run("event", "list", "--url", where.url) == 0
        shown = capsys.readouterr().out.splitlines()
        assert shown[-3:] == [
            "2026-11-26 08:00:00Z  deploy v2 of sentiment-latency by ci", "  tokenizer", "  https://ci.example/4",
        ]  # fmt: skip
        assert shown[0].endswith("config of every contract by ann")
        assert run("event", "list", "--kind", "version", "--since", "7d", "--url", where.url) == 0
        assert capsys.readouterr().out == "nothing is marked\n"


def test_what_cannot_be_is_one_clear_error() -> None:
    daemon = FakeShowable([view(contract())])
    daemon.happened.wrong = StoreError("the disk is full")
    with served(daemon) as where:
        with pytest.raises(KeeptimeError, match="the disk is full"):
            run("event", "other", "--author", "ann", "--url", where.url)
        with pytest.raises(UsageError, match="--since soon"):
            run("event", "list", "--since", "soon", "--url", where.url)
        with pytest.raises(UsageError, match="--at soon"):
            run("event", "other", "--author", "ann", "--at", "soon", "--url", where.url)
    with nobody_listening() as port, pytest.raises(KeeptimeError, match="no keeptime answers"):
        run("event", "list", "--url", f"http://127.0.0.1:{port}")
    with pytest.raises(SystemExit):
        run("event", "deploy", "sentiment-latency")
