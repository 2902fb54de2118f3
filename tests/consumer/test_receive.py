"""`keeptime receive` as a process, told by keeptime's own receiver class, by forgers and by clients that dawdle."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from keeptime.errors import DeliveryError
from keeptime.model.alert import Address
from keeptime.tell.heartbeat import Anchor, compose
from keeptime.tell.trial import trial
from tests.tell.given import contract
from tests.tell.sending import seconds

from .given import OK, OTHER, PAGE, SECRET, bodies, deliveries, encoded, send, signed

HOOK = Address("checkout", "webhook", "env:HOOK")


@dataclass
class Receiving:
    process: "subprocess.Popen[str]"
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])

    def said(self) -> str:
        """The next line of stderr."""
        assert self.process.stderr is not None
        return self.process.stderr.readline().removeprefix("keeptime receive: ").rstrip("\n")

    def printed(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextlib.contextmanager
def receiving(*more: str, secret: str = SECRET) -> Iterator[Receiving]:
    command = [sys.executable, "-m", "keeptime", "receive", "--listen", "127.0.0.1:0", *more]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OURS": secret}
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            if "no --secret" in line:
                line = process.stderr.readline()
            yield Receiving(process, line.split()[4])
        finally:
            process.kill()


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    request = urllib.request.Request(url, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", SECRET)
    monkeypatch.setenv("FORGED", OTHER)


def test_it_prints_each_message_once_and_refuses_forgers_and_replays(tmp_path: Path) -> None:
    seen = str(tmp_path / "seen.db")
    with receiving("--secret", "env:OURS", "--seen", seen) as hook:
        began, ended = deliveries(hook.url, "env:OURS", PAGE, OK)
        assert send([began, began, ended]) == ["200"] * 3
        shown = [hook.printed() for _ in range(14)]
        assert shown[0].endswith("UTC  at_risk (page)  sentiment-latency/p99")
        assert shown[1] == "  42 of 3,600 requests were slow or failed in the last hour"
        assert shown[2] == "  promised  99% of requests under 500ms over 28d"
        assert shown[4] == "  budget    2,377 of 2,419 bad requests left; at this pace gone in 6 h"
        assert shown[6] == "  runbook   https://wiki.example/sentiment"
        assert shown[7].endswith("UTC  recovered  sentiment-latency/p99")
        assert hook.said() == "a repeat, known already"
        with pytest.raises(DeliveryError, match="401"):
            send(deliveries(hook.url, "env:FORGED", PAGE))
        assert hook.said().startswith("refused: not signed by who knows our secret")
        with pytest.raises(DeliveryError, match="401"):
            send(deliveries(hook.url, "", PAGE))
        assert hook.said().startswith("refused: it has no webhook-signature")
        with pytest.raises(DeliveryError, match="400"):
            send([began], at=seconds() - 3600)
        assert "refused: sent 1 h ago by its sender's clock" in hook.said()
        assert hook.end() == 0
    with receiving("--secret", "env:OURS", "--seen", seen) as hook:  # after a restart
        assert send(deliveries(hook.url, "env:OURS", PAGE)) == ["200"]
        assert hook.said() == "a repeat, known already"


def test_json_is_one_line_per_message_with_the_body_as_it_came() -> None:
    with receiving("--secret", "env:FORGED", "--secret", "env:OURS", "--json") as hook:
        assert send(deliveries(hook.url, "env:OURS", PAGE)) == ["200"]
        told = json.loads(hook.printed())
    (body,) = bodies(PAGE)
    assert told["message"] == body
    assert (told["id"], told["type"], told["gap"]) == (body["id"], body["type"], None)
    assert abs(told["sent"] - seconds()) < 300


def test_unicode_stays_and_control_characters_never_reach_the_terminal() -> None:
    (body,) = bodies(PAGE)
    data = encoded({**body, "reason": "Zürich 遅い \x1b[2J\nfake"})
    with receiving("--secret", "env:OURS") as hook:
        assert post(hook.url, data, signed(data, str(body["id"]), seconds()))[0] == 200
        hook.printed()
        assert hook.printed() == "  Zürich 遅い �[2J�fake"


def test_garbage_and_huge_bodies_are_refused_and_it_goes_on() -> None:
    with receiving("--secret", "env:OURS") as hook:
        assert post(hook.url, b"\xff\x00garbage", {"webhook-id": "x"})[0] == 400
        assert (
            hook.said()
            == "refused: it has no webhook-timestamp; expected the headers of Standard Webhooks [malformed]"
        )
        assert post(hook.url, b"x" * 65_537, {}) == (413, "expected at most 65,536 bytes\n")
        chunked = (
            b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"
            + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3
        )
        with socket.create_connection(("127.0.0.1", hook.port), 20) as client:
            client.sendall(chunked)
            assert b" 413 " in client.recv(1000)
        with socket.create_connection(("127.0.0.1", hook.port), 20) as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
            assert b" 405 " in client.recv(1000)
        assert send(deliveries(hook.url, "env:OURS", PAGE)) == ["200"]


def test_who_dawdles_holds_up_nobody() -> None:
    with receiving("--secret", "env:OURS") as hook, contextlib.ExitStack() as slow:
        for beginning in (b"", b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\nx") * 5:
            client = slow.enter_context(socket.create_connection(("127.0.0.1", hook.port), 20))
            client.sendall(beginning)
        assert send(deliveries(hook.url, "env:OURS", PAGE)) == ["200"]


def test_a_test_message_is_shown_as_one() -> None:
    (news,) = deliveries("http://127.0.0.1:1/", "env:OURS", PAGE)
    with receiving("--secret", "env:OURS") as hook:
        address = replace(news.address, target=hook.url)
        assert send([trial(contract(address), address, seconds())]) == ["200"]
        assert hook.printed().startswith("keeptime.test  ")
        assert hook.printed() == "  This is a test of keeptime. Nothing happened, and nothing is to be done."


def test_without_a_secret_it_says_that_nothing_is_verified() -> None:
    with receiving() as hook:
        assert send(deliveries(hook.url, "", PAGE)) == ["200"]
        assert "at_risk" in hook.printed()


def test_when_nobody_reads_it_ends_and_the_message_was_not_taken() -> None:
    with receiving("--secret", "env:OURS") as hook:
        assert hook.process.stdout is not None
        hook.process.stdout.close()
        with pytest.raises(DeliveryError, match="500"):
            send(deliveries(hook.url, "env:OURS", PAGE))
        assert hook.process.wait(20) == 1
        assert hook.said().startswith("not taken: ")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--listen", "0.0.0.0:1"), 2, "loopback addresses only"),
        (("--secret", SECRET), 2, "never the secret itself"),
        (("--tolerance", "soon"), 2, "--tolerance soon"),
        (("--secret", "env:NOT_SET_HERE"), 1, "env:NOT_SET_HERE has no value"),
        (("--secret", "env:PATH"), 1, "is not base64"),
        (("--seen", "/"), 1, "/: the ids of messages cannot be kept there"),
    ],
)
def test_what_cannot_be_is_one_clear_error(arguments: tuple[str, ...], code: int, text: str) -> None:
    done = subprocess.run([sys.executable, "-m", "keeptime", "receive", *arguments], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1)
    assert text in done.stderr
    assert SECRET not in done.stderr


def test_it_says_when_heartbeats_stop_and_when_they_are_back() -> None:
    consumer = replace(contract(HOOK).consumers[0], heartbeat=1.0)
    terms = replace(contract(HOOK), consumers=(consumer,))
    with receiving("--secret", "env:OURS", "--json") as one:
        os.environ["KEEPTIME_TEST_SECRET"] = SECRET
        hook = Address("checkout", "webhook", one.url, "env:KEEPTIME_TEST_SECRET")
        try:
            send([compose(terms, consumer, hook, [None], Anchor(), seconds())])
            silent = json.loads(one.printed())
            assert (silent["type"], silent["id"], silent["message"]["contract"]) == ("silent", None, terms.name)
            assert "is silent since" in silent["message"]["text"]
            send([compose(terms, consumer, hook, [None], Anchor(), seconds())])
            assert json.loads(one.printed())["type"] == "heard"
        finally:
            del os.environ["KEEPTIME_TEST_SECRET"]
        assert one.end() == 0
