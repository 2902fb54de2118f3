"""Probes of kind tcp: a connection is enough, or what comes over it must be what is expected."""

import json
import socket
import time
from pathlib import Path

import pytest

from keeptime.cli.main import main
from keeptime.model.sample import Failure
from tests.nobody import nobody_listening
from tests.observe.servers import Authority, serving, silent

from .given import once, text


def test_a_connection_is_enough_and_its_time_is_the_latency() -> None:
    with serving(silent) as port:
        found = once(f"{{url: 'tcp://127.0.0.1:{port}'}}", "kind: tcp, attributes: {region: eu}")
    assert (found.failure, found.status, found.size) == (None, None, 0)
    assert found.attributes == {"region": "eu"}
    assert found.phases.connect == found.latency_ns > 0


def test_an_http_url_gives_host_and_port_and_nothing_is_sent() -> None:
    got: list[bytes] = []

    def note(sock: socket.socket) -> None:
        got.append(sock.recv(100))

    with serving(note) as port:
        found = once(
            f"{{url: 'http://localhost:{port}/predict', json: {{a: 1}}, expect: {{regex: never}}}}", "kind: tcp"
        )
        deadline = time.monotonic() + 5
        while not got and time.monotonic() < deadline:
            time.sleep(0.01)
    assert found.failure is None
    assert found.phases.dns > 0
    assert got == [b""]


def test_https_includes_the_handshake(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with serving(silent, context=authority.issue("model").server()) as port:
        found = once(f"{{url: 'https://localhost:{port}/', tls: {{ca: {authority.file}}}}}", "kind: tcp")
    assert found.failure is None
    assert found.phases.tls > 0


def test_a_refused_connection() -> None:
    with nobody_listening() as port:
        found = once(f"{{url: 'tcp://127.0.0.1:{port}'}}", "kind: tcp")
    assert found.failure is Failure.REFUSED


def says(*pieces: bytes, asked: bytes = b"") -> object:
    def script(sock: socket.socket) -> None:
        got = b""
        while len(got) < len(asked):
            got += sock.recv(100)
        assert got == asked
        for piece in pieces:
            sock.sendall(piece)
            time.sleep(0.01)

    return script


def test_a_banner_in_pieces() -> None:
    with serving(says(b"SSH-2", b".0-x\r\n")) as port:  # type: ignore[arg-type]
        endpoint = f"{{url: 'tcp://127.0.0.1:{port}', expect: {{regex: '^SSH-2\\.0'}}}}"
        found = [once(endpoint, "kind: tcp") for _ in range(5)]
    assert {each.failure for each in found} == {None}
    assert min(each.latency_ns for each in found) >= 10_000_000
    assert any(each.stamped for each in found)


def test_something_is_sent_first() -> None:
    endpoint = "{{url: 'tcp://127.0.0.1:{port}', body: \"PING\\r\\n\", expect: {{regex: PONG}}}}"
    with serving(says(b"+PONG\r\n", asked=b"PING\r\n")) as port:  # type: ignore[arg-type]
        assert once(endpoint.format(port=port), "kind: tcp").failure is None


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        (says(b"HTTP/1.1 400\r\n"), Failure.EXPECTATION),
        (says(), Failure.EXPECTATION),
        (says(b"x" * 3000), Failure.TOO_LARGE),
        (silent, Failure.TIMEOUT),
    ],
)
def test_something_else_comes(script: object, failure: Failure) -> None:
    endpoint = "{{url: 'tcp://127.0.0.1:{port}', expect: {{regex: PONG, max_body: 2KiB}}}}"
    with serving(script) as port:  # type: ignore[arg-type]
        timeout = "500ms" if failure is Failure.TIMEOUT else "10s"
        assert once(endpoint.format(port=port), "kind: tcp", timeout).failure is failure


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "c.yaml"
    with serving(silent) as port:
        file.write_text(text(f"{{url: 'tcp://127.0.0.1:{port}'}}", "kind: tcp"))
        assert main(["probe", "--json", str(file)]) == 0
        found = json.loads(capsys.readouterr().out)
        assert main(["probe", str(file)]) == 0
    assert (found["success"], found["status"], found["failure"]) == (True, None, None)
    shown = capsys.readouterr().out
    assert shown.startswith(f"c: a connection to tcp://127.0.0.1:{port}\n  ok in ")
