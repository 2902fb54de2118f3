"""Names of what is judged and of where in time it lies."""

from enum import StrEnum
from typing import NamedTuple


class Signal(StrEnum):
    """What an objective is about (its `of`)."""

    REQUESTS = "requests"
    FIRST_TOKEN = "first_token"
    INTER_TOKEN = "inter_token"
    OUTPUT_TOKEN = "output_token"
    TOKEN_RATE = "token_rate"


class ObjectiveKey(NamedTuple):
    """One objective of one contract."""

    contract: str
    objective: str

    def __str__(self) -> str:
        return f"{self.contract}/{self.objective}"


class SignalKey(NamedTuple):
    """One signal of one contract: what a latency histogram is kept for."""

    contract: str
    signal: Signal


DEFAULT_TICK_SECONDS = 10.0
"""Ticks lie on the epoch grid in UTC: tick k is the half-open time [k·tick, (k+1)·tick)."""


def tick_of(wall_ns: int, tick_seconds: float) -> int:
    """The tick that holds this instant. Exact: integer arithmetic on nanoseconds."""
    return wall_ns // round(tick_seconds * 1_000_000_000)
