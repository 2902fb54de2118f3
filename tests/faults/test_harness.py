"""The instruments of these tests do what they say: otherwise the tests prove nothing."""

import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.keeping import DIRECT
from tests.e2e.peers import Consumer, consumer
from tests.faults.proxy import Proxy, Way, proxied
from tests.faults.shifting import HOUR, YEAR, shifting


@pytest.fixture
def ends() -> Iterator[tuple[Proxy, Consumer]]:
    with consumer() as told, proxied(told.url) as network:
        yield network, told


CLOSED = ("RemoteDisconnected", "ConnectionResetError", "BrokenPipeError")
"""What a closed connection looks like, by the instant at which it was closed."""


def post(url: str, name: str, timeout: float = 2.0) -> str:
    """What became of a message: its status or the kind of the error."""
    request = urllib.request.Request(url, b"{}", {"webhook-id": name})
    try:
        with DIRECT.open(request, timeout=timeout) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return str(error.code)
    except urllib.error.URLError as error:
        return type(error.reason).__name__
    except OSError as error:
        return type(error).__name__


def test_a_proxy_passes_refuses_resets_drops_and_hangs(ends: tuple[Proxy, Consumer]) -> None:
    network, told = ends
    assert post(network.url, "a") == "200"
    seen = {}
    for way in (Way.REFUSE, Way.RESET, Way.DROP, Way.HANG, Way.CUT):
        network.be(way)
        seen[way] = post(network.url, way.name, timeout=0.3)
    network.be(Way.PASS)
    assert post(network.url, "z") == "200"
    assert seen[Way.REFUSE] == "ConnectionRefusedError"
    assert seen[Way.RESET] in CLOSED
    assert seen[Way.DROP] in CLOSED
    assert seen[Way.HANG] in ("TimeoutError", "timeout")
    assert told.once() == ["a", "CUT", "z"], "a lost answer is a message that was taken"


def test_a_proxy_drips(ends: tuple[Proxy, Consumer]) -> None:
    network, told = ends
    network.every = 0.002
    network.be(Way.DRIP)
    began = time.monotonic()
    assert post(network.url, "a") == "200"
    assert time.monotonic() - began > 0.1
    assert told.once() == ["a"]


def test_a_change_of_the_way_frees_who_hangs(ends: tuple[Proxy, Consumer]) -> None:
    network, _ = ends
    network.be(Way.HANG)
    found: list[str] = []
    waiting = threading.Thread(target=lambda: found.append(post(network.url, "a", timeout=30)))
    waiting.start()
    while not network.taken:
        time.sleep(0.01)
    network.be(Way.PASS)
    waiting.join(5)
    assert found[0] in CLOSED


SAY = """
import sqlite3, sys, time
while sys.stdin.readline():
    day = sqlite3.connect(":memory:").execute("SELECT strftime('%s', 'now')").fetchone()[0]
    print(time.time_ns() / 1e9, time.monotonic(), day, flush=True)
"""


def test_the_wall_clock_of_a_running_process_is_set_and_no_other_clock(tmp_path: Path) -> None:
    with (
        shifting(tmp_path) as clock,
        subprocess.Popen(
            [sys.executable, "-c", SAY], env=clock.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        for offset in (0.0, HOUR, -YEAR, YEAR, 0.0):
            clock.set(offset)
            child.stdin.write(b"\n")
            child.stdin.flush()
            wall, mono, day = (float(each) for each in child.stdout.readline().split())
            assert wall - time.time() == pytest.approx(offset, abs=5)
            assert mono - time.monotonic() == pytest.approx(0, abs=5)
            assert day - time.time() == pytest.approx(offset, abs=5)
        child.stdin.close()
