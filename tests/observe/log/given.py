"""Logs, and what follows them, for tests."""

import time
from pathlib import Path

from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.contract.traffic.log import Log
from keeptime.model.sample import Sample
from keeptime.observe.log.parsing import Said, parser
from keeptime.observe.log.requests import Requests

NOW = 1_795_000_000 * 10**9


class Clock:
    """Stands where it is put."""

    def __init__(self, wall_ns: int = NOW) -> None:
        self.wall = wall_ns

    def wall_ns(self) -> int:
        return self.wall

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


def contract(log: str, base: Path | None = None) -> Contract:
    """One that observes this log (flow YAML) alone."""
    text = f"contract: c\nobserve:\n  - log: {log}\nobjectives:\n  - 99% of requests under 500ms over 28d\n"
    result = load_text(text.encode(), str((base or Path("/logs")) / "c.yaml"))
    assert result.valid, "\n".join(map(str, result.problems))
    return result.contracts[0]


def log_of(log: str) -> Log:
    (one,) = contract(log).traffic
    assert isinstance(one, Log)
    return one


def said(log: str, line: str | bytes) -> Said | str:
    return parser(log_of(log))(line.encode() if isinstance(line, str) else line)


def request(log: str, line: str | bytes, now: int = NOW) -> Sample | str:
    """What becomes of one line."""
    one = log_of(log)
    found = parser(one)(line.encode() if isinstance(line, str) else line)
    return found if isinstance(found, str) else Requests("c", one).of(found, now)


def sample(log: str, line: str | bytes, now: int = NOW) -> Sample:
    found = request(log, line, now)
    assert isinstance(found, Sample), found
    return found
