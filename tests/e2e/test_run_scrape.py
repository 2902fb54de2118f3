"""`keeptime run` on a real server's own metrics: what it counts, through a restart and while it is gone."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .keeping import DIRECT, Keeptime, keeping, until

TERMS = """\
contract: chat
observe:
  - scrape:
      url: http://127.0.0.1:{port}/metrics
      every: 1s
      timeout: 900ms
      attributes: {{model: name}}
      metrics:
        - {{signal: requests, histogram: took_seconds, buckets: [100ms, 500ms, 1s], failed: 'code!~"2.."'}}
objectives:
  - {{name: p50, target: 50%, under: 500ms, over: 10m, where: {{model: llama, observer: scrape}}}}
no_data_after: 4s
operators: {{tell: ["log:"]}}
"""


class Model:
    """The server as a process of its own; it keeps its port when it starts again."""

    def __init__(self) -> None:
        self.port = 0
        self.start()

    def start(self) -> None:
        command = [sys.executable, str(Path(__file__).with_name("model_server.py")), str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self._process.stdout.close()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def work(self, requests: int, seconds: float, code: int = 200) -> None:
        url = f"http://127.0.0.1:{self.port}/work?requests={requests}&seconds={seconds}&code={code}"
        DIRECT.open(url, timeout=10).close()

    def scrapes(self) -> int:
        with DIRECT.open(f"http://127.0.0.1:{self.port}/scrapes", timeout=10) as answer:
            return int(answer.read())


@contextmanager
def model() -> Iterator[Model]:
    one = Model()
    try:
        yield one
    finally:
        one.kill()


def await_counts(keeptime: Keeptime, good: int, bad: int) -> None:
    def found() -> tuple[int, int]:
        one = keeptime.objective()
        return int(one["good"] or 0), int(one["bad"] or 0)  # type: ignore[call-overload]

    until(lambda: found() == (good, bad), 20, f"{good}, {bad}; {keeptime.objective()}\n{keeptime.log}")


def test_what_a_server_counts_is_judged_through_a_restart_and_nothing_is_good_while_it_is_gone(
    tmp_path: Path,
) -> None:
    with model() as server, keeping(tmp_path / "keeptime", TERMS.format(port=server.port)) as keeptime:
        server.work(1000, 0.05)
        keeptime.start()
        until(lambda: server.scrapes() >= 2, 20, "the baseline")
        server.work(10, 0.05)
        server.work(4, 0.7)
        server.work(1, 0.01, code=500)
        await_counts(keeptime, 10, 5)
        server.kill()
        until(lambda: "cannot be reached: no connection" in keeptime.log, 20, "the failed read")
        keeptime.await_condition("no_data")
        await_counts(keeptime, 10, 5)
        (entry,) = keeptime.view()["traffic"]  # type: ignore[misc,attr-defined]
        assert (entry["kind"], entry["requests"], entry["results"]["failed"] > 0) == ("scrape", 15, True)
        assert "cannot be reached" in entry["problem"]
        assert b'keeptime_traffic_problem{contract="chat",kind="scrape"} 1.0' in keeptime.get("/metrics")
        server.start()
        server.work(3, 0.05)
        await_counts(keeptime, 13, 5)
        assert keeptime.end() == 0
        assert "goes well again" in keeptime.log
        assert "Traceback" not in keeptime.log
