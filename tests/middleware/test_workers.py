"""Several worker processes of real servers share their counts, and one that is killed takes none with it."""

import json
import os
import signal
import sys
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.keeping import keeping, until
from tests.servers import DIRECT, Running, running

ROOT = Path(__file__).resolve().parents[2]
APP = "tests.middleware.served:app"
SCRIPTS = Path(sys.executable).parent
UVICORN = [str(SCRIPTS / "uvicorn"), APP, "--workers", "2", "--port", "0", "--log-level", "warning"]
GUNICORN = [str(SCRIPTS / "gunicorn"), APP, "-w", "2", "-k", "uvicorn.workers.UvicornWorker", "-b", "127.0.0.1:0"]
FAILED = (OSError, HTTPException)
pytestmark = pytest.mark.serial


def _get(url: str) -> str:
    with DIRECT.open(url, timeout=20) as answer:
        return str(answer.read().decode())


def _scraped(server: Running) -> dict[str, float]:
    """The values of `keeptime_server_…`, without the prefix, summed over their labels; results by themselves."""
    found: Counter[str] = Counter()
    for family in text_string_to_metric_families(_get(f"{server.url}/metrics")):
        for sample in family.samples:
            name = sample.name.removeprefix("keeptime_server_") + sample.labels.get("result", "")
            found[name + sample.labels.get("le", "")] += sample.value
    return dict(found)


class Load:
    """Clients that ask again and again, and know how many answers they had."""

    def __init__(self, server: Running) -> None:
        self.answered: Counter[int] = Counter()
        self.failed = 0
        self._server, self._lock, self._over = server, threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]

    @contextmanager
    def going(self) -> Iterator[None]:
        for each in self._threads:
            each.start()
        try:
            yield
        finally:
            self._over.set()
            for each in self._threads:
                each.join()

    def _ask(self) -> None:
        while not self._over.is_set():
            try:
                pid = json.loads(_get(f"{self._server.url}/predict/1?seconds=0.002"))["pid"]
            except FAILED:
                with self._lock:
                    self.failed += 1
                time.sleep(0.05)
            else:
                with self._lock:
                    self.answered[pid] += 1

    def until(self, pids: int, answers: int) -> None:
        deadline = time.monotonic() + 60
        while len(self.answered) < pids or self.answered.total() < answers:
            assert time.monotonic() < deadline, self.answered
            time.sleep(0.02)


def _never_falls(before: dict[str, float], now: dict[str, float]) -> dict[str, float]:
    """Of all that only grows."""
    grows = {name for name in before if any(part in name for part in ("_bucket", "_total", "_sum", "_count"))}
    assert {name for name in grows if now[name] < before[name]} == set()
    return now


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(UVICORN, id="uvicorn"),
        pytest.param(GUNICORN, id="gunicorn"),
        pytest.param([*GUNICORN, "--preload"], id="gunicorn-preload", marks=pytest.mark.soak),
    ],
)
def test_a_killed_worker_takes_no_count_with_it(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path / "log", ready="/metrics", cwd=ROOT) as server:
        load = Load(server)
        with load.going():
            load.until(pids=2, answers=50)
            seen = _scraped(server)
            assert seen["workers"] == 2
            (victim, _), *_ = load.answered.most_common()
            os.kill(victim, signal.SIGKILL)
            for more in range(1, 6):
                load.until(pids=2, answers=50 + 20 * more)
                seen = _never_falls(seen, _scraped_again(server))
            load.until(pids=3, answers=200)
            seen = _never_falls(seen, _scraped_again(server))
        last = _never_falls(seen, _scraped_again(server))
    answered = load.answered.total()
    assert answered <= last["requests_totalok"] <= answered + load.failed
    assert last["request_seconds_bucketok5.0"] == last["request_seconds_countok"] == last["requests_totalok"]
    assert last["in_flight"] == 0
    assert last["workers"] == 2


TERMS = """\
contract: served
observe:
  - push:
objectives:
  - 90% of requests under 300ms over 1h
"""


@pytest.mark.soak
def test_what_killed_workers_counted_reaches_keeptime_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [each.replace(APP, "tests.middleware.pushing:app") for each in UVICORN]
    with keeping(tmp_path, TERMS) as kept:
        kept.start()
        monkeypatch.setenv("KEEPTIME_PUSH_TO", f"{kept.url}/api/v1/push/served")
        with running(command, tmp_path / "log", ready="/metrics", cwd=ROOT) as server:
            load = Load(server)
            with load.going():
                for workers in (2, 3, 4):
                    load.until(pids=workers, answers=200 * workers)
                    if workers < 4:
                        os.kill(list(load.answered)[-1], signal.SIGKILL)
            last = _scraped_again(server)["requests_totalok"]
            assert load.answered.total() <= last <= load.answered.total() + load.failed
            until(lambda: kept.objective()["good"] == last, 60, f"{last} good: {kept.objective()}")
        assert kept.objective()["bad"] == kept.objective()["excluded"] == 0
        assert kept.end() == 0


def _scraped_again(server: Running) -> dict[str, float]:
    """A scrape that lands on a worker that has just been killed is made again."""
    for _ in range(100):
        try:
            return _scraped(server)
        except (*FAILED, urllib.error.URLError):
            time.sleep(0.05)
    raise AssertionError("the server does not answer any more")
