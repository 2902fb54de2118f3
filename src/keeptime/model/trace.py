"""What is kept of a trace: one request, and what was done for it. Standard library alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Why(StrEnum):
    """Why a trace is kept."""

    SLOW = "slow"
    FAILED = "failed"
    USUAL = "usual"
    """Neither: one now and then, to compare with."""


@dataclass(frozen=True, slots=True)
class TraceSpan:
    """One piece of work. Instants in Unix nanoseconds; `parent`: "" of the first. `failed`: it says so itself."""

    span: str
    parent: str
    name: str
    service: str
    kind: str
    start_ns: int
    took_ns: int
    failed: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """A request of a contract. `at_ns`: when it ended; `left_out`: spans that were too many to be kept."""

    contract: str
    trace: str
    at_ns: int
    took_ns: int
    why: Why
    spans: tuple[TraceSpan, ...] = ()
    left_out: int = 0
