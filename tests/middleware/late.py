"""Requests that are late on purpose, and the stacks that were seen of them."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from keeptime.middleware import Recorder, Stacks
from keeptime.middleware.memory import PrivateMemory

LATE = 0.05
"""Seconds."""


def recorder() -> Recorder:
    return Recorder(memory=PrivateMemory())


def slow(stacks: Stacks) -> list[Mapping[str, Any]]:
    return [each for each in stacks.kept() if each["why"] == "slow"]


def hottest(kept: Iterable[Mapping[str, Any]]) -> list[str]:
    """The frames of the stack at which most of the time was seen."""
    counts: dict[str, int] = {}
    for one in kept:
        for each in one["stacks"]:
            counts[each["stack"]] = counts.get(each["stack"], 0) + each["count"]
    assert counts, "no stack was seen"
    return max(counts, key=lambda stack: counts[stack]).split(";")


def text(stacks: Stacks) -> str:
    return json.dumps(stacks.kept())
