"""Fault 26: the receiver's clock is 10 minutes off: its rejection is recognised, and the operators are told."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keeptime.tell.receivers.skew import refused
from tests.e2e.keeping import SECRET, keeping, until
from tests.e2e.peers import model
from tests.faults.scene import SLOW, TERMS
from tests.faults.shifting import shifting

NOW = 1_800_000_000.0
OPERATED = TERMS.replace("consumers:", 'operators:\n  tell: ["log:{log}"]\nconsumers:')


@contextmanager
def receiving(folder: Path, seconds: float) -> Iterator[str]:
    """A real `keeptime receive` whose clock is so far off; its URL."""
    command = [sys.executable, "-m", "keeptime", "receive", "--listen", "127.0.0.1:0", "--secret", "env:OURS"]
    with (
        shifting(folder, seconds) as shift,
        subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=os.environ | shift.environment | {"OURS": SECRET}
        ) as process,
    ):
        try:
            assert process.stderr is not None
            yield process.stderr.readline().split()[4]
        finally:
            process.kill()


def service_messages(log: Path) -> list[dict[str, object]]:
    lines = log.read_text().splitlines() if log.exists() else []
    return [each for each in map(json.loads, lines) if each["type"] == "keeptime.service.clock"]


@pytest.mark.parametrize(("seconds", "way"), [(600.0, "ahead of"), (-600.0, "behind")])
def test_fault_26_the_operators_hear_whose_clock_is_off_and_by_how_much(
    tmp_path: Path, seconds: float, way: str
) -> None:
    log = tmp_path / "operators.log"
    with (
        model() as served,
        receiving(tmp_path / "clock", seconds) as hook,
        keeping(tmp_path / "one", OPERATED.format(url=served.url, log=log), hook) as one,
    ):
        served.delay = SLOW
        one.start()
        until(lambda: len(service_messages(log)) > 0, 40, "the operators to be told of the clock")
        (said,) = service_messages(log)
        reason = str(said["reason"])
        assert reason.startswith("The receiver for checkout by webhook refuses what keeptime signs: its clock is ")
        assert f" {way} ours, by its Date: one of the two is wrong" in reason
        assert "10 min" in reason or "9 min 59" in reason
        (error,) = {row[0] for row in one.rows("SELECT last_error FROM route WHERE last_error <> ''")}
        assert str(error).startswith("it answered 400 Bad Request; expected 2xx; its clock is ")


@pytest.mark.parametrize(
    ("status", "body", "date", "said"),
    [
        (400, b"", NOW + 600, "its clock is 10 min ahead of ours, by its Date: one of the two is wrong"),
        (401, b"", NOW - 600, "its clock is 10 min behind ours, by its Date: one of the two is wrong"),
        (400, b"Message timestamp too old", NOW, "it takes the message for too old: its clock is ahead of ours"),
        (400, b"Timestamp too new", None, "it takes the message for sent in the future: its clock is behind ours"),
        (400, b"sent 10 min ago by its sender's clock, more than 5 min: a replay", NOW, "too old"),
        (401, b"not signed by who knows our secret", NOW + 5, ""),
        (404, b"", NOW + 600, ""),
        (500, b"timestamp too old", NOW + 600, ""),
        (400, b"", None, ""),
    ],
)
def test_fault_26_a_rejection_is_recognised(status: int, body: bytes, date: float | None, said: str) -> None:
    error = refused(NOW, status, body, None, date)
    assert said in error.clock
    assert bool(said) == bool(error.clock)
    assert error.clock in str(error)
