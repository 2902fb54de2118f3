"""Thresholds that one worker was told of and all count by: words in the shared memory.

Guarantees: only the worker that speaks for all writes them; they are added and never taken away. No I/O.
"""

from collections.abc import Mapping, Sequence

from keeptime.middleware.layout import MOST_THRESHOLDS, SIGNALS
from keeptime.model.key import Signal

WORDS = len(SIGNALS) * MOST_THRESHOLDS
"""Of nanoseconds: MOST_THRESHOLDS for each signal, 0 where there is none."""


def teach(words: memoryview, thresholds: Mapping[Signal, Sequence[float]]) -> None:
    """Add these (seconds); what there is no room for is passed over."""
    for number, signal in enumerate(SIGNALS):
        part = words[number * MOST_THRESHOLDS : (number + 1) * MOST_THRESHOLDS]
        known = [each for each in part.tolist() if each]
        given = (round(seconds * 1e9) for seconds in thresholds.get(signal, ()))
        new = [each for each in given if each not in known]
        for place, each in enumerate(new[: MOST_THRESHOLDS - len(known)], len(known)):
            part[place] = each


def taught(words: memoryview) -> dict[Signal, list[float]]:
    """All of them, in seconds, of the signals that there are any of."""
    found = {}
    for number, signal in enumerate(SIGNALS):
        part = words[number * MOST_THRESHOLDS : (number + 1) * MOST_THRESHOLDS].tolist()
        if any(part):
            found[signal] = [each / 1e9 for each in part if each]
    return found
