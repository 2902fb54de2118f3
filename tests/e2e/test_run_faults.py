"""Models that are dead, hang, or come back: what `keeptime run` makes of them."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.keeping import keeping, terms, until
from tests.e2e.peers import consumer, model
from tests.nobody import nobody_listening


@contextmanager
def hanging() -> Iterator[str]:
    """A server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        held: list[socket.socket] = []

        def hold() -> None:
            while True:
                try:
                    held.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=hold, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/predict"
        server.shutdown(socket.SHUT_RDWR)
        for each in held:
            each.close()


def test_a_dead_model_is_not_a_fast_one(tmp_path: Path) -> None:
    with (
        nobody_listening() as port,
        consumer() as told,
        keeping(tmp_path / "k", terms(f"http://127.0.0.1:{port}/"), told.url) as one,
    ):
        one.start()
        found = one.await_condition("broken")
        assert (found["good"], found["sli"]) == (0, 0.0)
        assert set(one.view()["failures"]) == {"refused"}  # type: ignore[call-overload]
        until(lambda: "broken" in told.topics(), 10, "the consumer to be told")
        said = json.loads(told.received[-1][1])
        assert "slow or failed" in said["reason"]
        assert b'model_request_latency_seconds_bucket{contract="kept",le="0.2",model="kept"} 0.0' in one.get(
            "/metrics"
        )


def test_a_model_that_hangs_delays_neither_probes_nor_verdicts(tmp_path: Path) -> None:
    with hanging() as url, consumer() as told, keeping(tmp_path / "k", terms(url), told.url) as one:
        one.start()
        began = time.monotonic()
        found = one.await_condition("broken")
        assert found["good"] == 0
        until(lambda: "broken" in told.topics(), 10, "the consumer to be told")
        seconds = time.monotonic() - began
        until(lambda: one.view()["failures"] != {}, 10, "the first time-out")
        sent = int(one.view()["requests"]) + int(one.view()["in_flight"])  # type: ignore[call-overload]
        assert sent >= 5 * seconds, "probes left on schedule though none came back"
        assert set(one.view()["failures"]) == {"timeout"}  # type: ignore[call-overload]
        assert one.end() == 0


def test_no_keeptime_no_verdict_and_a_model_that_comes_back(tmp_path: Path) -> None:
    with model() as served, keeping(tmp_path / "k", terms(served.url)) as one:
        served.delay = 3.0
        one.start()
        one.await_condition("broken")
        served.delay = 0.0
        found = one.await_condition("ok", 100)
        assert float(found["sli"]) >= 0.9  # type: ignore[arg-type]
