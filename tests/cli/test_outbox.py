"""`keeptime outbox`, with a daemon that answers and with the store alone."""

import json
from pathlib import Path

import pytest

from keeptime.errors import KeeptimeError, StoreBusy, UsageError
from keeptime.model.change import Change
from keeptime.store.postgresql.address import address_of
from keeptime.store.postgresql.lease import Lease
from keeptime.store.postgresql.store import PostgresqlStore
from tests.cli.commands import run
from tests.nobody import nobody_listening
from tests.postgres import Databases
from tests.store.given import NOW, message, take_over
from tests.store.test_letters import parked
from tests.web.conftest import served
from tests.web.test_outbox import daemon

Out = pytest.CaptureFixture[str]


def test_a_running_keeptime_is_asked(capsys: Out) -> None:
    shown = daemon()
    with served(shown) as where:
        assert run("outbox", "list", "--dead", "--json", "--url", where.url) == 1
        assert [each["id"] for each in json.loads(capsys.readouterr().out)["outbox"]] == [1, 3, 4]
        assert run("outbox", "replay", "1", "99", "--url", where.url) == 1
        assert capsys.readouterr().out == "1 dead letter will be sent again; 1 of the ids is of no dead letter\n"
        assert run("outbox", "replay", "--all", "--json", "--url", where.url) == 0
        assert json.loads(capsys.readouterr().out) == {"replayed": 2}
        assert run("outbox", "list", "--url", where.url) == 0
        assert "waiting" in capsys.readouterr().out
        assert run("outbox", "list", "--dead", "--url", where.url) == 0
        assert capsys.readouterr().out == "there are no dead letters\n"


def test_without_one_the_store_is_asked(tmp_path: Path, capsys: Out) -> None:
    parked(tmp_path, "m1", "m2")
    assert run("outbox", "list", "--json", "--data", str(tmp_path)) == 1
    first, second = json.loads(capsys.readouterr().out)["outbox"]
    assert (first["message_id"], first["receiver"], first["error"]) == ("m1", "webhook:env:HOOK", "it answered 410")
    assert run("outbox", "list", "--data", str(tmp_path)) == 1
    shown = capsys.readouterr().out.splitlines()
    assert (shown[0], shown[1], shown[3]) == (
        "1  digits/fast  broken, for checkout", "  webhook:env:HOOK", "  it answered 410",
    )  # fmt: skip
    assert run("outbox", "replay", str(second["id"]), "--data", str(tmp_path)) == 0
    assert run("outbox", "list", "--dead", "--data", str(tmp_path)) == 1
    assert run("outbox", "replay", "--contract", "digits", "--data", str(tmp_path)) == 0
    assert run("outbox", "list", "--data", str(tmp_path)) == 0


def test_of_a_pair_that_does_not_run_the_database_is_asked(databases: Databases, capsys: Out) -> None:
    with databases.one() as url:
        address = address_of(url)
        with PostgresqlStore.open(
            address, name="test", term=take_over(address), tick_seconds=10.0, now=NOW
        ) as store:
            store.commit(Change(NOW, messages=(message("m1"),)))
            store.gave_up(store.heads(NOW)[0].row, NOW, "it answered 410", channel=True)
        assert run("outbox", "list", "--dead", "--json", "--store", url) == 1
        assert [each["error"] for each in json.loads(capsys.readouterr().out)["outbox"]] == ["it answered 410"]
        assert run("outbox", "replay", "--all", "--store", url) == 0
        lease = Lease(address, "leader", 60.0)
        assert lease.take(lease.look(), "http://leader.example") is not None
        with pytest.raises(StoreBusy, match=r"a keeptime leads on it .*--url http://leader.example"):
            run("outbox", "list", "--store", url)
        lease.close()
        with pytest.raises(UsageError, match="give one of"):
            run("outbox", "list", "--store", url, "--data", "here")


def test_dead_letters_are_discarded_with_a_reason(tmp_path: Path, capsys: Out) -> None:
    shown = daemon()
    with served(shown) as where:
        why = ("--author", "ada", "--reason", "gone", "--url", where.url)
        assert run("outbox", "discard", "1", "99", *why) == 1
        assert capsys.readouterr().out == "1 dead letter discarded; 1 of the ids is of no dead letter\n"
        assert run("outbox", "discard", "--all", "--json", *why) == 0
        assert json.loads(capsys.readouterr().out) == {"discarded": 2}
        assert shown.discarded_by == [("ada", "gone")] * 2
    parked(tmp_path, "m1", "m2")
    assert run("outbox", "discard", "--contract", "digits", "--reason", "gone", "--data", str(tmp_path)) == 0
    assert run("outbox", "list", "--data", str(tmp_path)) == 0
    with pytest.raises(UsageError, match="one line"):
        run("outbox", "discard", "--all", "--reason", " ", "--data", str(tmp_path))


def test_what_cannot_be_asked_is_one_clear_error(tmp_path: Path) -> None:
    with nobody_listening() as port, pytest.raises(KeeptimeError, match="no keeptime answers"):
        run("outbox", "list", "--url", f"http://127.0.0.1:{port}")
    with pytest.raises(KeeptimeError, match="there is no store"):
        run("outbox", "list", "--data", str(tmp_path / "none"))


@pytest.mark.parametrize("given", [[], ["1", "--all"], ["--contract", "a", "--all"]])
def test_a_replay_of_nothing_or_of_two_things_is_wrong_usage(given: list[str]) -> None:
    with pytest.raises(UsageError, match="say what to replay"):
        run("outbox", "replay", *given)


@pytest.mark.parametrize("given", ["0", "-1", "x", "²", str(2**63)])
def test_an_id_is_a_number_of_the_list(given: str) -> None:
    with pytest.raises(SystemExit):
        run("outbox", "replay", given)
