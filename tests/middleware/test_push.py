"""What a daemon is told: by whom, how often, and what becomes of it while nobody answers."""

import asyncio
import gzip
import json
import logging
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from keeptime.middleware import KeeptimeMiddleware, Labels, Pusher, Recorder
from keeptime.middleware.learning import taught, teach
from keeptime.middleware.memory import PrivateMemory
from keeptime.middleware.push import thresholds_of
from keeptime.middleware.totals import totals
from keeptime.model.key import Signal
from tests.e2e.keeping import keeping, until
from tests.servers import wait_until

LABELS = Labels("/predict", model_version="v2", consumer="checkout")
THRESHOLDS = {"requests": [0.3], "first_token": [0.1, 0.2]}


class Daemon:
    """Takes what is posted, and answers as it is told to."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.status, self.answer = 200, json.dumps({"taken": 1, "refused": [], "thresholds": THRESHOLDS})
        self.more: dict[str, str] = {}
        self.url = ""


@contextmanager
def _daemon() -> Iterator[Daemon]:
    daemon = Daemon()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            daemon.headers.append(dict(self.headers))
            daemon.taken.append(json.loads(body))
            self.send_response(daemon.status)
            for name, value in daemon.more.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(daemon.answer.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    daemon.url = f"http://127.0.0.1:{server.server_port}/api/v1/push/served"
    try:
        yield daemon
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _serve(recorder: Recorder, seconds: float) -> None:
    recorder.come()
    recorder.series(LABELS).served(seconds)


def test_totals_are_posted_with_the_token_and_thresholds_are_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    recorder = Recorder(path=tmp_path / "counts")
    recorder.series(LABELS).served(0.25)
    recorder.series(LABELS).failed("timeout")
    with _daemon() as daemon:
        pusher = Pusher(recorder, daemon.url, token="env:TOKEN", every=300)
        pusher.post()
        for seconds in (0.2999, 0.3001):
            recorder.series(LABELS).served(seconds)
        pusher.post()
    first, second = daemon.taken
    assert daemon.headers[0]["Authorization"] == "Bearer secret"
    assert first["instance"] == second["instance"] == recorder.memory.instance
    (one,), (other,) = first["series"], second["series"]
    assert one["attributes"] == {"route": "/predict", "model_version": "v2", "consumer": "checkout"}
    assert (one["signal"], one["count"], one["failed"], one["within"]) == ("requests", 2, 1, {})
    assert (one["scale"], one["buckets"], one["sum"]) == (5, {"-65": 1}, 0.25)
    assert (other["count"], other["within"]) == (4, {"0.3": 2})
    assert recorder.thresholds[Signal.FIRST_TOKEN] == (100_000_000, 200_000_000)


def test_a_thread_posts_from_the_first_request_on_and_a_child_after_its_own(tmp_path: Path) -> None:
    recorder = Recorder(path=tmp_path / "counts")

    def serving() -> None:
        _serve(recorder, 0.1)
        signal.pause()

    with _daemon() as daemon:
        Pusher(recorder, daemon.url, every=0.1)
        context = multiprocessing.get_context("fork")
        children = [context.Process(target=serving, daemon=True) for _ in range(2)]
        try:
            for each in children:
                each.start()
            wait_until(lambda: _last(daemon) == 2, 20, "a post of both")
            leads = next(each for each in children if recorder_leads(tmp_path / "counts", each.pid))
            leads.kill()
            leads.join()
            before = len(daemon.taken)
            wait_until(lambda: len(daemon.taken) > before + 1, 20, "the other child to speak")
            assert _last(daemon) == 2
        finally:
            for each in children:
                each.kill()
                each.join()


def _last(daemon: Daemon) -> int:
    """The requests of the last post; none before the first."""
    return sum(each["count"] for post in daemon.taken[-1:] for each in post["series"])


def recorder_leads(path: Path, pid: int | None) -> bool:
    """By the system's own list of locks: byte 1 of the file."""
    inode = path.stat().st_ino
    lines = (line.split() for line in Path("/proc/locks").read_text().splitlines())
    return any(
        line[4] == str(pid) and line[5].endswith(f":{inode}") and line[6:] == ["1", "1"]
        for line in lines
        if line[1] == "POSIX"
    )


def test_while_nobody_answers_it_is_said_once_and_nothing_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(path=tmp_path / "counts")
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/api/v1/push/served"
    with caplog.at_level(logging.INFO, "keeptime.middleware"):
        alone = Pusher(recorder, nobody)
        series = recorder.series(LABELS)  # without `come`, which would start its thread
        series.served(0.1)
        alone.post()
        alone.post()
        assert "ConnectionRefusedError" in alone.problem
        with _daemon() as daemon:
            pusher = Pusher(recorder, daemon.url)
            for daemon.status, daemon.answer, daemon.more in (
                (503, "", {"Retry-After": "7"}),
                (404, json.dumps({"error": "there is no contract 'served' here"}), {}),
                (200, "no JSON", {}),
            ):
                wished = pusher.post()
                assert wished == (7.0 if daemon.status == 503 else None)
    assert [each.levelname for each in caplog.records] == ["WARNING", "WARNING", "WARNING", "INFO"]
    assert "there is no contract 'served' here" in caplog.text
    assert pusher.problem == ""
    assert [each["series"][0]["count"] for each in daemon.taken] == [1, 1, 1]


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("ftp://host/api/v1/push/x", None),
        ("http:///api", None),
        ("http://host", None),
        ("http://user:secret@host/api/v1/push/x", None),
        ("http://host:port/x", None),
        ("http://host/x\r\nX: y", None),
        ("http://host/api/v1/push/x", "secret"),
        ("http://host/api/v1/push/x", "env:"),
    ],
)
def test_what_can_never_work_is_refused_at_once_and_no_secret_repeated(url: str, token: str | None) -> None:
    with pytest.raises(ValueError, match="expected") as raised:
        Pusher(Recorder(memory=PrivateMemory()), url, token=token)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("content", [None, "", "a\nb", "ü"])
def test_a_token_that_is_none_is_a_problem_that_does_not_repeat_it(content: str | None, tmp_path: Path) -> None:
    recorder = Recorder(memory=PrivateMemory())
    if content is not None:
        (tmp_path / "token").write_text(content)
    with _daemon() as daemon:
        pusher = Pusher(recorder, daemon.url, token=f"file:{tmp_path / 'token'}")
        pusher.post()
    assert daemon.taken == []
    assert "token" in pusher.problem


def test_a_redirect_takes_the_token_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "secret")
    with _daemon() as daemon, _daemon() as other:
        daemon.status, daemon.more = 307, {"Location": other.url}
        pusher = Pusher(Recorder(memory=PrivateMemory()), daemon.url, token="env:TOKEN")
        pusher.post()
    assert other.taken == []
    assert "307" in pusher.problem


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {"thresholds": 1},
        {"thresholds": {"requests": "x", "none": [1.0], "first_token": [-1, True, "1", 1e99]}},
    ],
)
def test_thresholds_that_are_none_are_passed_over(told: object) -> None:
    assert not any(thresholds_of(told).values())


def test_what_is_taught_is_added_until_there_is_no_room() -> None:
    words = PrivateMemory().taught()
    teach(words, {Signal.REQUESTS: [0.5]})
    teach(words, {Signal.REQUESTS: [number / 10 for number in range(1, 30)]})
    found = taught(words)[Signal.REQUESTS]
    assert (len(found), found[:3]) == (16, [0.5, 0.1, 0.2])


def test_a_new_worker_counts_by_what_the_others_were_taught(tmp_path: Path) -> None:
    recorder = Recorder(path=tmp_path / "counts")
    teach(recorder.memory.taught(), {Signal.REQUESTS: [0.7]})
    _serve(recorder, 0.69)
    assert totals(recorder.memory).series[0].within == {700_000_000: 1}


TERMS = """\
contract: served
observe:
  - push:
objectives:
  - 90% of requests under 300ms over 1h
"""


def test_keeptime_judges_what_a_server_counted(tmp_path: Path) -> None:
    recorder = Recorder(path=tmp_path / "counts")
    with keeping(tmp_path, TERMS) as kept:
        kept.start()
        pusher = Pusher(recorder, f"{kept.url}/api/v1/push/served")
        _serve(recorder, 0.1)
        pusher.post()
        assert (pusher.problem, recorder.thresholds[Signal.REQUESTS]) == ("", (300_000_000,))
        pusher.post()
        for seconds in (0.2999, 0.3, 0.3001):
            _serve(recorder, seconds)
        recorder.come()
        recorder.series(LABELS).failed("error")
        pusher.post()
        pusher.post()
        until(lambda: kept.objective()["good"] == 3 and kept.objective()["bad"] == 2, 20, f"{kept.objective()}")
        assert kept.end() == 0
    pusher.stop()


def test_an_answer_that_nobody_expects_ends_nothing() -> None:
    with _daemon() as daemon:
        daemon.answer = "[" * 200_000
        recorder = Recorder(memory=PrivateMemory())
        pusher = Pusher(recorder, daemon.url, every=0.1)
        recorder.begin().end(LABELS)
        wait_until(lambda: len(daemon.taken) >= 3, 30.0, "more posts")
        pusher.stop()


def test_a_worker_posts_what_is_left_before_its_lifespan_ends(tmp_path: Path) -> None:
    """A server may then be ended by the signal that stopped it, and Python's own end is never run."""
    recorder = Recorder(path=tmp_path / "counts")
    with _daemon() as daemon:
        app = KeeptimeMiddleware(_App(), recorder=recorder, push=daemon.url)
        recorder.series(LABELS).served(0.1)
        posted: list[int] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            posted.append(_last(daemon))

        asyncio.run(app({"type": "lifespan"}, _nothing, send))
        assert posted == [0, 1]
        assert not recorder_leads(tmp_path / "counts", os.getpid())


class _App:
    """Starts and ends."""

    async def __call__(self, _scope: object, _receive: object, send: Any) -> None:
        for each in ("startup", "shutdown"):
            await send({"type": f"lifespan.{each}.complete"})


async def _nothing() -> MutableMapping[str, Any]:
    return {}
