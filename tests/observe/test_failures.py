"""Every way in which a request can fail, against real sockets."""

import socket
import ssl
from pathlib import Path

import pytest

from keeptime.contract.probed import Endpoint, Expect, Probe, SecretRef, TlsTerms
from keeptime.errors import ProbeError, SecretError
from keeptime.model.sample import Connection, Failure
from keeptime.observe.once import probe_once
from tests.nobody import nobody_listening
from tests.observe.given import once
from tests.observe.servers import OK, Authority, answers, resets, serving, silent

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def test_a_good_answer() -> None:
    with serving(answers(OK)) as port:
        found = once(port, expect=Expect(json=(("$.answer", 1),), regex="answer"))
    assert (found.failure, found.status, found.size) == (None, 200, 13)
    assert found.connection is Connection.FRESH


def test_refused() -> None:
    with nobody_listening() as port:
        found = once(port)
    assert found.failure is Failure.REFUSED
    assert "refused" in found.detail
    assert found.status is None


def test_a_name_that_does_not_exist() -> None:
    found = once(80, host="no-such-host.invalid", timeout=20.0)
    assert found.failure is Failure.DNS
    assert "no-such-host.invalid" in found.detail
    assert found.phases.dns == found.phases.total


@pytest.mark.parametrize(
    ("script", "phase"),
    [
        (silent, "wait"),
        (answers(HEAD + b"Content-Length: 10\r\n\r\n", 5.0), "transfer"),
        (answers(HEAD, 5.0), "transfer"),
        (answers(HEAD + b"Content-Length: 99\r\n\r\n", *[b"x", 0.05] * 99), "transfer"),
    ],
    ids=["says nothing", "stops after the head", "stops within the head", "drips"],
)
def test_a_timeout_is_censored_at_its_deadline(script: object, phase: str) -> None:
    with serving(script) as port:  # type: ignore[arg-type]
        found = once(port, timeout=0.3)
    assert found.failure is Failure.TIMEOUT
    assert getattr(found.phases, phase) > 0.15e9
    assert "0.3 s" in found.detail


def test_a_backlog_that_is_full_times_out_while_connecting() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        found = once(port, timeout=0.3)
        for filler in fillers:
            filler.close()
    assert found.failure is Failure.TIMEOUT
    assert "connecting" in found.detail


@pytest.mark.parametrize(
    ("answer", "status"),
    [(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy", 503), (b"HTTP/1.1 204 None\r\n\r\n", 204)],
)
def test_a_status_that_is_not_expected(answer: bytes, status: int) -> None:
    with serving(answers(answer)) as port:
        found = once(port, expect=Expect(status=((200, 200),), regex="nothing"))
    assert (found.failure, found.status) == (Failure.STATUS, status)
    assert found.detail == f"status {status}; expected 200"


@pytest.mark.parametrize(
    ("expect", "detail"),
    [
        (Expect(regex="^nothing$"), "the body does not match '^nothing$'"),
        (Expect(json=(("$.answer", 2),)), "$.answer: 1; expected 2"),
        (Expect(json=(("$.answer", True),)), "$.answer: 1; expected True"),
        (Expect(json=(("$.other", ...),)), "$.other: nothing there; expected a value"),
    ],
)
def test_a_body_that_is_not_expected(expect: Expect, detail: str) -> None:
    with serving(answers(OK)) as port:
        found = once(port, expect=expect)
    assert (found.failure, found.detail) == (Failure.EXPECTATION, detail)


def test_json_is_expected_and_something_else_comes() -> None:
    with serving(answers(HEAD + b"Content-Length: 3\r\n\r\n<a>")) as port:
        found = once(port, expect=Expect(json=(("$.answer", 1),)))
    assert (found.failure, found.detail) == (Failure.EXPECTATION, "the body is no JSON")


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Content-Length: 101\r\n\r\n" + b"x" * 101,
        CHUNKED + b"65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n",
        HEAD + b"\r\n" + b"x" * 101,
        b"HTTP/1.1 500 No\r\nContent-Length: 99999999999\r\n\r\n",
    ],
    ids=["announced", "chunked", "until closed", "before the status counts"],
)
def test_too_large(answer: bytes) -> None:
    with serving(answers(answer)) as port:
        found = once(port, expect=Expect(max_body=100))
    assert found.failure is Failure.TOO_LARGE
    assert "100" in found.detail


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x00" * 100,
        b"HTTP/1.1 20 OK\r\n\r\n",
        HEAD + b"Content-Length: ten\r\n\r\n",
        HEAD + b"Content-Length: 10\r\n\r\nshort",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n12",
        HEAD + b"no colon\r\n\r\n",
        HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        CHUNKED + b"zz\r\n",
        CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n",
        CHUNKED + b"3\r\nabc\r\n",
        HEAD,
        b"",
    ],
    ids=lambda answer: repr(answer[:40]),
)
def test_what_is_no_http(answer: bytes) -> None:
    with serving(answers(answer)) as port:
        found = once(port)
    assert found.failure is Failure.PROTOCOL
    assert found.detail


def test_a_connection_that_is_reset() -> None:
    with serving(resets) as port:
        found = once(port)
    assert found.failure is Failure.PROTOCOL
    assert "reset" in found.detail


def test_a_body_until_close_is_complete_only_then() -> None:
    with serving(answers(HEAD + b"\r\n", b"abc", 0.1, b"def", 0.1)) as port:
        found = once(port)
    assert (found.failure, found.size, found.stamped) == (None, 6, False)
    assert found.phases.transfer >= 0.15e9


def test_latency_is_of_the_whole_body() -> None:
    with serving(answers(HEAD + b"Content-Length: 6\r\n\r\n", 0.2, b"abcdef")) as port:
        found = once(port)
    assert found.failure is None
    assert found.phases.transfer >= 0.15e9


def test_ipv6() -> None:
    with serving(answers(OK), host="::1") as port:
        assert once(port, host="[::1]").failure is None


def test_localhost_falls_back_to_the_other_family() -> None:
    """The server listens on one family alone; the name may have both."""
    with serving(answers(OK), host="127.0.0.1") as port:
        found = once(port, host="localhost")
    assert found.failure is None
    assert found.phases.dns > 0


def test_a_half_closed_server_still_answers() -> None:
    def script(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(OK)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass

    with serving(script) as port:
        assert once(port).failure is None


def test_chunks_trailers_and_earlier_answers() -> None:
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
    body = b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: 1\r\n\r\n"
    with serving(answers(early, CHUNKED[:20], 0.01, CHUNKED[20:], body[:9], 0.01, body[9:])) as port:
        found = once(port, expect=Expect(regex="^hello!$"))
    assert (found.failure, found.size, found.status) == (None, 6, 200)


def test_a_large_request_body_is_sent_whole() -> None:
    got: list[bytes] = []

    def script(sock: socket.socket) -> None:
        data = b""
        while len(data) < 5_000_000:
            data += sock.recv(1 << 20)
        got.append(data)
        sock.sendall(OK)

    with serving(script) as port:
        found = once(port, method="POST", body=b"x" * 5_000_000)
    assert found.failure is None
    assert got[0].endswith(b"x" * 1000)
    assert len(got[0].partition(b"\r\n\r\n")[2]) == 5_000_000


def test_an_answer_before_the_request_was_read() -> None:
    """The server refuses a large body early: that is its answer."""

    def script(sock: socket.socket) -> None:
        sock.recv(1000)
        sock.sendall(b"HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n")
        sock.recv(1 << 20)
        while sock.recv(1 << 16):
            pass

    with serving(script) as port:
        found = once(port, method="POST", body=b"x" * 20_000_000)
    assert (found.failure, found.status) == (Failure.STATUS, 413)


def test_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    good = authority.issue("good")
    with serving(answers(OK), context=good.server()) as port:
        found = once(port, scheme="https", host="localhost", tls=TlsTerms(ca=authority.file))
        assert found.failure is None, found.detail
        assert found.phases.tls > 0
        assert found.size == 13


@pytest.mark.parametrize("what", ["unknown authority", "expired", "wrong host", "no tls", "closes", "resets"])
def test_tls_failures(what: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert = authority.issue("x", days=-1 if what == "expired" else 1)
    context = cert.server()
    script = answers(OK)
    if what in ("no tls", "closes", "resets"):
        context = None  # type: ignore[assignment]
        script = {"no tls": lambda sock: sock.sendall(OK), "closes": lambda sock: None, "resets": resets_early}[
            what
        ]
    tls = TlsTerms(
        ca=None if what == "unknown authority" else authority.file,
        server_name="other.example" if what == "wrong host" else None,
    )
    with serving(script, context=context) as port:
        found = once(port, scheme="https", host="localhost", tls=tls)
    assert found.failure is Failure.TLS, found
    assert found.phases.tls > 0
    assert found.status is None


def resets_early(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def test_a_tls_handshake_that_never_ends(tmp_path: Path) -> None:
    with serving(silent) as port:
        found = once(port, scheme="https", timeout=0.3)
    assert found.failure is Failure.TIMEOUT
    assert found.phases.tls > 0.2e9


def test_an_ip_address_in_the_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with serving(answers(OK), context=authority.issue("ip", host="127.0.0.1").server()) as port:
        assert once(port, scheme="https", tls=TlsTerms(ca=authority.file)).failure is None


def test_client_certificates(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context, mine = authority.issue("server").server(), authority.issue("client")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    with serving(answers(OK), context=context) as port:
        terms = TlsTerms(ca=authority.file, cert=mine.cert, key=mine.key)
        assert once(port, scheme="https", host="localhost", tls=terms).failure is None
        without = once(port, scheme="https", host="localhost", tls=TlsTerms(ca=authority.file))
        assert without.failure in (Failure.TLS, Failure.PROTOCOL)
        assert without.status is None


@pytest.mark.parametrize(
    ("tls", "words"),
    [(TlsTerms(ca="/nowhere/ca.pem"), "/nowhere/ca.pem"), (TlsTerms(cert="/nowhere/c.pem"), "/nowhere/c.pem")],
)
def test_certificates_that_cannot_be_read(tls: TlsTerms, words: str) -> None:
    with pytest.raises(ProbeError, match=words):
        probe_once(Endpoint("https://127.0.0.1/", tls=tls), Probe(1.0, 1.0), contract="c")


def test_a_secret_is_sent_and_never_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_OF_TEST", "s3cret-value")

    def echo(sock: socket.socket) -> None:
        data = sock.recv(65536)
        assert b"Authorization: s3cret-value\r\n" in data
        body = b'{"got": "s3cret-value"}'
        sock.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    with serving(echo) as port:
        headers = {"Authorization": SecretRef("env", "TOKEN_OF_TEST")}
        found = once(port, headers=headers, expect=Expect(json=(("$.got", 1),)))
    assert found.failure is Failure.EXPECTATION
    assert "s3cret" not in repr(found)
    assert "***" in found.detail


def test_a_secret_without_a_value_or_with_a_line_break(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = Endpoint("http://127.0.0.1/", headers={"A": SecretRef("env", "NO_SUCH_SECRET_HERE")})
    with pytest.raises(SecretError, match="NO_SUCH_SECRET_HERE"):
        probe_once(endpoint, Probe(1.0, 1.0), contract="c")
    monkeypatch.setenv("NO_SUCH_SECRET_HERE", "a\r\nX-Injected: 1")
    with pytest.raises(SecretError) as caught:
        probe_once(endpoint, Probe(1.0, 1.0), contract="c")
    assert "Injected" not in str(caught.value)
