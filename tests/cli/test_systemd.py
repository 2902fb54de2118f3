"""Under systemd: a real `keeptime run` and a real datagram socket in the place of systemd's."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from shutil import which

import pytest

from keeptime.app.signs import facts_of
from keeptime.app.supervised import Notifier, Supervised, status, stuck, watchdog_seconds
from keeptime.app.view import PairView
from keeptime.tell.wellness import held
from keeptime.testing.showable import NOW, FakeShowable
from tests.e2e.keeping import keeping, terms
from tests.e2e.peers import model
from tests.web.scenes import every_condition

UNIT = Path(__file__).resolve().parents[2] / "examples/systemd/keeptime.service"


@dataclass
class Systemd:
    """What was said, line by line."""

    socket: socket.socket
    lines: list[str] = field(default_factory=list)

    def hear(self, seconds: float = 0.0) -> list[str]:
        """What comes within this time, and before."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 or seconds == 0:
            self.socket.settimeout(max(left, 0.001))
            try:
                self.lines += self.socket.recv(4096).decode().split("\n")
            except TimeoutError:
                break
        return self.lines

    def until(self, line: str, seconds: float = 30) -> None:
        """Until this line comes; those before it are dropped."""
        end = time.monotonic() + seconds
        while line not in self.lines:
            assert time.monotonic() < end, (line, self.lines)
            self.hear(0.1)
        del self.lines[: self.lines.index(line) + 1]


@contextmanager
def listening(address: str) -> Iterator[Systemd]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        yield Systemd(there)


def test_systemd_hears_of_beginning_reload_progress_and_end(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    with (
        listening(address) as systemd,
        model() as served,
        keeping(tmp_path / "one", terms(served.url), NOTIFY_SOCKET=address, WATCHDOG_USEC="1500000") as one,
    ):
        one.start()
        systemd.until("READY=1")
        systemd.until("WATCHDOG=1")
        one.signal(signal.SIGHUP)
        systemd.until("RELOADING=1")
        systemd.until("READY=1")
        one.await_condition("ok")
        systemd.until("STATUS=1 contracts: 1 ok")
        assert one.end() == 0
        systemd.until("STOPPING=1")


def test_the_watchdog_is_fed_while_ticks_are_judged_and_not_when_they_stop() -> None:
    shown = every_condition().snapshot()
    assert stuck(shown) == ""
    late = replace(shown, health=replace(shown.health, last_tick_at=shown.at - 32))
    assert stuck(late) == "no tick was judged for 32 s"
    begun = replace(shown, health=replace(shown.health, last_tick_at=None, started=shown.at - 5))
    assert stuck(begun) == ""
    assert stuck(replace(begun, health=replace(begun.health, started=shown.at - 60))) != ""


def test_the_one_of_a_pair_that_stands_by_judges_nothing_and_is_well() -> None:
    shown = every_condition().snapshot()
    waiting = PairView(leads=False, may_send=False, holder="other", url="", since=0.0, term=7)
    late = replace(shown, health=replace(shown.health, last_tick_at=None, started=0.0), pair=waiting)
    assert stuck(late) == ""
    assert status(late) == "standing by; other leads"
    assert held(facts_of(late, ["sentiment-latency"])) == "another keeptime leads"


@pytest.mark.parametrize("name", ["@keeptime-test-{}", "{}/notify"])
def test_a_late_tick_is_said_and_feeds_nothing(name: str, tmp_path: Path) -> None:
    address = name.format(tmp_path.name if name.startswith("@") else tmp_path)
    with listening(address) as systemd:
        environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "60000000"}
        daemon = FakeShowable(last_tick_at=NOW - 100)
        Supervised(daemon.snapshot, environment)._feed(daemon.snapshot())
        daemon.last_tick_at = NOW - 3
        assert systemd.hear() == ["STATUS=no tick was judged for 1 min 40 s"]
        Supervised(daemon.snapshot, environment)._feed(daemon.snapshot())
        assert systemd.hear()[1:] == ["WATCHDOG=1", "STATUS=0 contracts: nothing to judge"]


def test_a_status_fits_a_line() -> None:
    assert status(every_condition().snapshot()) == (
        "3 contracts: 1 ok, 1 at_risk, 1 broken, 1 no_data, 1 not judged yet"
    )


def test_nobody_to_tell_is_no_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Notifier("").say("READY=1")
    assert caplog.messages == []
    gone = Notifier(str(tmp_path / "gone"))
    gone.say("READY=1")
    gone.say("WATCHDOG=1")
    assert caplog.messages == ["systemd cannot be told: No such file or directory"]


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
    ],
)
def test_whether_systemd_wants_to_be_fed(given: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds(given, 7) == seconds


@pytest.mark.skipif(which("systemd-analyze") is None, reason="systemd is not here")
def test_the_example_unit_is_valid(tmp_path: Path) -> None:
    """Its program is not installed here, so another stands in."""
    unit = tmp_path / "keeptime.service"
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/keeptime/.venv/bin/keeptime", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
