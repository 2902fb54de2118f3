"""The stacks of many requests as one: how much of the time that was seen was spent at each.

Guarantees: each request counts for as many as it stands for. A frame is what the one who looked called it,
`module.function (file:line)` or `[what it did]`; what is neither is a name. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from keeptime.model.exemplar import Exemplar

MOST_STACKS = 5_000
OTHERS = "[other stacks]"
_PLACED = re.compile(r"(?P<name>.+) \((?P<file>[^()]*):(?P<line>[0-9]{1,7})\)")


class Place(NamedTuple):
    """A frame's name and where it is; "" and 0 where that is not told."""

    name: str
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """`stacks`: outermost frame first, with how much was seen of each; `requests`: of how many."""

    stacks: Mapping[tuple[str, ...], float] = field(default_factory=dict)
    requests: int = 0

    @property
    def total(self) -> float:
        return sum(self.stacks.values())


OUTSIDE = "py-spy"
"""Who saw a process from outside: all that was at work there, which need not be late."""


def of_requests(exemplars: Iterable[Exemplar]) -> list[Exemplar]:
    """Those that have stacks: of requests where there are any, for these say more, else of their process."""
    found = [each for each in exemplars if each.stacks]
    within = [each for each in found if each.observer != OUTSIDE]
    return within or found


def profile_of(exemplars: Iterable[Exemplar]) -> Profile:
    """Of those that have stacks."""
    found: dict[tuple[str, ...], float] = {}
    requests = 0
    for one in exemplars:
        requests += bool(one.stacks)
        for stack, count in one.stacks:
            frames = tuple(each for each in stack.split(";") if each)
            if not frames:
                continue
            key = frames if frames in found or len(found) < MOST_STACKS else (OTHERS,)
            found[key] = found.get(key, 0.0) + count * one.weight
    return Profile(found, requests)


def place_of(frame: str) -> Place:
    """A frame taken apart."""
    found = _PLACED.fullmatch(frame)
    return Place(frame) if found is None else Place(found["name"], found["file"], int(found["line"]))


def did(frame: str) -> bool:
    """Does it say what the frame before it did, such as `[waiting]`?"""
    return frame.startswith("[") and frame.endswith("]")
