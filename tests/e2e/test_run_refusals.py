"""What `keeptime run` refuses: one clear message, an exit code, and nothing begun."""

import socket
from pathlib import Path

import pytest

from tests.e2e.keeping import Keeptime, keeping, terms
from tests.e2e.peers import model

MODEL = "http://127.0.0.1:9/"


@pytest.fixture
def one(tmp_path: Path) -> Keeptime:
    return Keeptime(tmp_path, terms(MODEL))


def test_an_invalid_contract_never_starts(one: Keeptime) -> None:
    one.write(terms(MODEL).replace("90%", "100%").replace("100ms", "100 ms"))
    code, said = one.refused()
    assert code == 1
    assert f"{one.contract}:4:20: error:" in said
    assert f"{one.contract}:6:5: error:" in said
    assert not one.data.exists()


def test_a_missing_secret_never_starts(one: Keeptime) -> None:
    one.write(terms(MODEL).replace("env:HOOK_SECRET", "env:NOT_THERE_4711"))
    code, said = one.refused()
    assert code == 1
    assert "NOT_THERE_4711" in said
    assert f"{one.contract}:12:48: error:" in said
    assert "Traceback" not in said
    assert not one.data.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--listen", "0.0.0.0:0"], "loopback"),
        (["--listen", "5337"], "HOST:PORT"),
        (["--tick", "7s"], "minute"),
        (["--tick", "fast"], "--tick fast"),
        (["--ready-file", "/not/there/ready"], "--ready-file /not/there/ready: expected a file in a directory"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_a_wrong_call_is_said_in_one_line(one: Keeptime, options: list[str], says: str) -> None:
    code, said = one.refused(*options)
    assert code == 2
    assert says in said
    assert "Traceback" not in said
    assert not one.data.exists()


def test_a_contract_that_is_not_there(one: Keeptime) -> None:
    one.contract.unlink()
    code, said = one.refused()
    assert code == 1
    assert str(one.contract) in said
    assert not one.data.exists()


def test_a_port_that_is_taken(one: Keeptime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = one.refused("--listen", f"127.0.0.1:{port}")
    assert code == 1
    assert f"127.0.0.1:{port}" in said
    assert "Traceback" not in said


def test_a_second_keeptime_on_one_store(tmp_path: Path) -> None:
    with model() as served, keeping(tmp_path, terms(served.url)) as one:
        one.start()
        code, said = one.refused()
        assert code == 1
        assert str(one.data) in said
        assert "Traceback" not in said
        one.await_events(10)
        assert one.end() == 0
        code, said = one.refused("--tick", "2s")
        assert code == 1
        assert "tick" in said
        assert "Traceback" not in said
