"""`keeptime run` as a child process: started as a user does, looked at through its port and its store."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TERMS = """\
contract: {name}
endpoint: {{url: "{url}", method: POST, json: {{data: 1}}}}
observe:
  - probe: {{every: 100ms, timeout: 1s}}
objectives:
  - 90% of requests under 200ms over 60s
policy:
  burn-rate:
    tiers: [{{severity: page, long: 3s, short: 1s, factor: 2}}]
consumers:
  - name: checkout
    tell: [{{webhook: {{url: "env:HOOK", secret: "env:HOOK_SECRET"}}}}]
"""
"""Ten probes a second, judged each second over a minute: enough for a verdict within seconds."""


def terms(url: str, name: str = "kept") -> str:
    return TERMS.format(url=url, name=name)


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.05)


@dataclass
class Keeptime:
    """One store and one contract file in `folder`; at most one process at a time. `hook`: the consumer's URL."""

    folder: Path
    terms: str
    hook: str = "http://127.0.0.1:9/"
    more: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.write(self.terms)

    @property
    def contract(self) -> Path:
        return self.folder / "contract.yaml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def ready(self) -> Path:
        return self.folder / "ready.json"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"HOOK": self.hook, "HOOK_SECRET": SECRET} | self.more

    def write(self, text: str) -> None:
        """Another contract; it is not read before the next start or SIGHUP."""
        self.contract.write_text(text)

    def command(self, *options: str) -> list[str]:
        usual = ["--tick", "1s", "--listen", "127.0.0.1:0", "--data", str(self.data)]
        return [sys.executable, "-m", "keeptime", "run", str(self.contract), *usual, *self.options, *options]

    def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        self.ready.unlink(missing_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command("--ready-file", str(self.ready)), env=self.environment, stdout=log, stderr=log
            )
        process = self.process
        until(lambda: self.ready.exists() or process.poll() is not None, 30, "keeptime to start")
        assert process.poll() is None, self.log

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def end(self) -> int:
        """SIGTERM; its exit code."""
        self.signal(signal.SIGTERM)
        assert self.process is not None
        return self.process.wait(20)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(10)

    def stop(self) -> None:
        """SIGSTOP: it stands still until `go_on`, and is alive all the while."""
        self.signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.signal(signal.SIGCONT)

    def refused(self, *options: str) -> tuple[int, str]:
        """Start it with more options where it must not start: exit code, what it said."""
        done = subprocess.run(self.command(*options), env=self.environment, capture_output=True, timeout=30)
        return done.returncode, done.stderr.decode()

    @property
    def url(self) -> str:
        return str(json.loads(self.ready.read_text())["url"])

    def get(self, path: str) -> bytes:
        """The answer's body, whatever its status."""
        try:
            with DIRECT.open(self.url + path, timeout=10) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            return bytes(error.read())

    def api(self) -> dict[str, object]:
        return dict(json.loads(self.get("/api/v1/contracts")))

    def view(self, number: int = 0) -> dict[str, object]:
        """One contract as the API shows it."""
        return self.api()["contracts"][number]  # type: ignore[index,no-any-return]

    def objective(self, number: int = 0) -> dict[str, object]:
        return self.view()["objectives"][number]  # type: ignore[index,no-any-return]

    def await_condition(self, condition: str, seconds: float = 30) -> dict[str, object]:
        until(lambda: self.objective()["condition"] == condition, seconds, f"{condition}; {self.objective()}")
        return self.objective()

    def await_events(self, count: int, seconds: float = 30) -> dict[str, object]:
        """Until so many events are judged."""
        until(lambda: int(self.objective()["good"] or 0) >= count, seconds, f"{count} events")  # type: ignore[call-overload]
        return self.objective()

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What its store holds."""
        with sqlite3.connect(f"file:{self.data / 'keeptime.db'}?mode=ro", uri=True) as db:
            return db.execute(query).fetchall()


@contextmanager
def keeping(folder: Path, text: str, hook: str = "http://127.0.0.1:9/", **more: str) -> Iterator[Keeptime]:
    """A keeptime that is not started yet; whatever then runs is killed at the end of the block."""
    folder.mkdir(exist_ok=True)
    one = Keeptime(folder, text, hook, more)
    try:
        yield one
    finally:
        if one.process is not None and one.process.poll() is None:
            one.kill()
