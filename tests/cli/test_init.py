"""`keeptime init` on real servers, and its refusals."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keeptime.cli.measuring import measure
from keeptime.cli.writing import Refused, write_whole
from keeptime.contract.load import load_files
from keeptime.contract.probed import SecretRef
from keeptime.model.sample import Connection, Failure, Phases, Sample
from tests.nobody import nobody_listening

from .commands import run

QUICK = ("--for", "300ms", "--every", "50ms")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, dict(self.headers), body))  # type: ignore[attr-defined]
        answer = b'{"label": "positive"}'
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _server(status: int = 200) -> Iterator[tuple[str, list]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.status, server.seen = status, []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", server.seen  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_contract_it_writes_passes_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "sub" / "contract.yaml"
    with _server() as (url, seen):
        body = '{"data": "sample: input # 1"}'
        assert run("init", f"{url}/v1/predict", "--json-body", body, *QUICK, "-o", str(output)) == 0
    out, err = capsys.readouterr()
    assert f"Next: keeptime check {output}" in out
    assert ": 1 request, the last took" in err
    assert run("check", "--json", str(output)) == 0
    (checked,) = json.loads(capsys.readouterr().out)["contracts"]
    assert (checked["valid"], checked["problems"]) == (True, [])
    (contract,) = load_files([output]).contracts
    assert (contract.name, contract.endpoint.method) == ("predict", "POST")
    assert json.loads(contract.endpoint.body or b"") == json.loads(seen[0][3]) == json.loads(body)
    assert len(seen) >= 2
    assert "Measured on" in output.read_text()


def test_headers_and_method_reach_the_endpoint_and_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KEEPTIME_TEST_TOKEN", "hunter2")
    output = tmp_path / "contract.yaml"
    headers = ("--header", "Authorization: env:KEEPTIME_TEST_TOKEN", "--header", "X-Caller: me")
    with _server() as (url, seen):
        assert run("init", url, "--method", "put", *headers, *QUICK, "-o", str(output), "--json") == 0
    method, _, sent, _ = seen[0]
    assert (method, sent["Authorization"], sent["X-Caller"]) == ("PUT", "hunter2", "me")
    (contract,) = load_files([output]).contracts
    assert contract.endpoint.headers == {"Authorization": SecretRef("env", "KEEPTIME_TEST_TOKEN"), "X-Caller": "me"}
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["file"], found["failed"], found["requests"]) == (str(output), 0, len(seen))
    assert "hunter2" not in output.read_text() + out + err


def test_it_does_not_overwrite_without_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "contract.yaml"
    output.write_text("mine")
    with _server() as (url, seen):
        assert run("init", url, *QUICK, "-o", str(output)) == 1
        assert (output.read_text(), seen) == ("mine", [])
        assert "--force" in capsys.readouterr().err
        assert run("init", url, *QUICK, "-o", str(output), "--force") == 0
    assert "objectives:" in output.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["contract.yaml"]


def test_a_refused_connection_is_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "contract.yaml"
    with nobody_listening() as port:
        assert run("init", f"http://127.0.0.1:{port}/predict", *QUICK, "-o", str(output)) == 1
    err = capsys.readouterr().err
    assert "3 of 3 requests failed: refused" in err
    assert "is the model server running" in err
    assert "Nothing was written" in err
    assert not output.exists()


def test_an_error_answer_is_said_plainly(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "contract.yaml"
    with _server(status=405) as (url, _):
        assert run("init", url, *QUICK, "-o", str(output)) == 1
    err = capsys.readouterr().err
    assert "failed: status" in err
    assert "405" in err
    assert "--method" in err
    assert not output.exists()


def test_a_secret_without_a_value_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("KEEPTIME_TEST_TOKEN", raising=False)
    header = ("--header", "Authorization: env:KEEPTIME_TEST_TOKEN")
    with _server() as (url, seen):
        assert run("init", url, *header, *QUICK, "-o", str(tmp_path / "c.yaml")) == 1
    assert seen == []
    assert "env:KEEPTIME_TEST_TOKEN has no value" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["127.0.0.1:5000"], "has no scheme"),
        (["ftp://127.0.0.1/"], "only http, https and tcp"),
        (["tcp://127.0.0.1:5000"], "init measures http and https"),
        (["http://me:hunter2@127.0.0.1/"], "user name or password"),
        (["http://127.0.0.1/", "--json-body", "{data}"], "no JSON"),
        (["http://127.0.0.1/", "--json-body", "@/nonexistent"], "cannot be read"),
        (["http://127.0.0.1/", "--json-body", "[" * 100_000], "no JSON"),
        (["http://127.0.0.1/", "--header", "Authorization: hunter2"], "a literal secret"),
        (["http://127.0.0.1/", "--header", "hunter2"], "no colon"),
        (["http://127.0.0.1/", "--for", "10"], "write 10ms or 10s"),
        (["http://127.0.0.1/", "--every", "0s"], "longer than zero"),
        (["http://127.0.0.1/", "--for", "9d", "--every", "1us"], "more than 10000 requests"),
        (["http://127.0.0.1/", "--method", "FETCH"], "expected GET"),
        (["http://127.0.0.1/", "--name", "Mine"], "write mine"),
    ],
)
def test_wrong_usage_says_what_is_wrong(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("init", *arguments, "-o", str(tmp_path / "c.yaml")) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "hunter2" not in err
    assert list(tmp_path.iterdir()) == []


class _Clock:
    """Moves only when someone sleeps or sends."""

    def __init__(self) -> None:
        self.now = 0

    def monotonic_ns(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += round(seconds * 1e9)


def _sample(failure: Failure | None = None) -> Sample:
    return Sample("c", 0, 0, 10, Phases(wait=10), failure, 200, 0, Connection.FRESH, False, 0)


def _measured(clock: _Clock, takes: float, failure: Failure | None = None) -> int:
    def send() -> Sample:
        clock.sleep(takes)
        return _sample(failure)

    return len(measure(send, 10, 0.5, monotonic_ns=clock.monotonic_ns, sleep=clock.sleep))


@pytest.mark.parametrize(("takes", "requests"), [(0.01, 20), (0.49, 20), (0.6, 10), (30, 1)])
def test_requests_leave_at_fixed_times_one_after_the_other(takes: float, requests: int) -> None:
    assert _measured(_Clock(), takes) == requests


def test_it_gives_up_after_three_failures() -> None:
    clock = _Clock()
    assert _measured(clock, 0.01, Failure.REFUSED) == 3
    assert clock.now < 2e9


def test_a_file_that_came_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("theirs")
    with pytest.raises(Refused, match="left as it is"):
        write_whole(str(path), "mine", force=False)
    assert path.read_text() == "theirs"
    assert [each.name for each in tmp_path.iterdir()] == ["c.yaml"]


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot be written"):
        write_whole(str(tmp_path / "file" / "c.yaml"), "mine", force=False)
