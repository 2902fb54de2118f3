"""Ticks that lie wholly in maintenance: silence is not counted there, for nothing was promised.

Guarantees: pure; costs nothing for objectives without maintenance. Knows no counts.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from keeptime.contract.maintenance import covers_wholly
from keeptime.contract.scope import Maintenance

Flags = NDArray[np.bool_]
Places = NDArray[np.intp]
Maintained = Mapping[tuple[Maintenance, ...], Places]
"""The places in a group of the objectives that have these windows; those without any are left out."""
SECOND = 1_000_000_000


def maintained(windows: Sequence[tuple[Maintenance, ...]]) -> Maintained:
    """By the windows of each objective of a group."""
    places: dict[tuple[Maintenance, ...], list[int]] = {}
    for place, each in enumerate(windows):
        if each:
            places.setdefault(each, []).append(place)
    return {each: np.array(found, dtype=np.intp) for each, found in places.items()}


def resting(of: Maintained, objectives: int, first: int, ticks: int, tick_seconds: float) -> Flags | None:
    """Which ticks lie wholly in maintenance [ticks × objectives]; None where none does."""
    if not of:
        return None
    tick_ns = round(tick_seconds * SECOND)
    flags = np.zeros((ticks, objectives), dtype=np.bool_)
    for windows, places in of.items():
        for nth in range(ticks):
            start = (first + nth) * tick_ns
            if covers_wholly(windows, start, start + tick_ns):
                flags[nth, places] = True
    return flags if flags.any() else None
