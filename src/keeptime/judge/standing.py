"""How an objective stands, as one ordered scale, and the table of how it moves.

Guarantees: a worse tick never leaves an objective better; only a tick with good events within the target lets it
improve; silence is its own step. Knows nothing of rules, windows or contracts.

The machine, per objective and tick, is this table; the first line that holds decides:

    keeptime was not running in this tick     → as it was
    no event for the contract's no_data_after → NO_DATA
    this tick's own events keep the target    → what the rule demands (better or worse)
    else                                      → the worse of what it was and what the rule demands

Because the scale is ordered this is a running maximum that starts again at each tick of the second and third
line, so a block of many ticks needs no loop.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from keeptime.model.verdict import Condition, Severity

Ints = NDArray[np.int64]
Codes = NDArray[np.int8]
Flags = NDArray[np.bool_]


class Standing(IntEnum):
    """Best to worst. NO_DATA lies between: worse than ok, and the least that silence can hide."""

    OK = 0
    NO_DATA = 1
    TICKET = 2
    PAGE = 3
    BROKEN = 4


CONDITION: dict[Standing, Condition] = {
    Standing.OK: Condition.OK,
    Standing.NO_DATA: Condition.NO_DATA,
    Standing.TICKET: Condition.AT_RISK,
    Standing.PAGE: Condition.AT_RISK,
    Standing.BROKEN: Condition.BROKEN,
}
SEVERITY: dict[Standing, Severity | None] = {
    Standing.OK: None,
    Standing.NO_DATA: None,
    Standing.TICKET: Severity.TICKET,
    Standing.PAGE: Severity.PAGE,
    Standing.BROKEN: Severity.PAGE,
}
STANDING: dict[Severity, Standing] = {Severity.TICKET: Standing.TICKET, Severity.PAGE: Standing.PAGE}
"""What a firing tier of this severity demands."""

_CONDITION_CODE = np.array([0, 1, 2, 2, 3], dtype=np.int8)
_SPAN = len(Standing)


def move(before: Codes, demand: Codes, keeps: Flags, silent: Flags, lived: Flags) -> Codes:
    """Standings [ticks × objectives] after each tick, from those `before` [objectives].

    `demand`: the least the rule asks for; `keeps`: this tick has events and they keep the target; `silent`: no
    event for no_data_after; `lived` [ticks].
    """
    lived_column = lived[:, None]
    silent = silent & lived_column
    demand = np.where(lived_column, demand, np.int8(Standing.OK))
    value = np.where(silent, np.int8(Standing.NO_DATA), demand)
    restart = silent | (keeps & lived_column)
    section = np.cumsum(restart, axis=0, dtype=np.int64)
    height = section * _SPAN + value
    np.maximum(height[0], np.where(restart[0], height[0], before), out=height[0])
    np.maximum.accumulate(height, axis=0, out=height)
    height -= section * _SPAN
    return height.astype(np.int8)


def condition_codes(standing: Codes) -> Codes:
    """Ticket and page are one condition (at_risk)."""
    return _CONDITION_CODE[standing]


def latest(flags: Flags, values: Ints, before: Ints) -> Ints:
    """At each tick the value of the latest tick with its flag up, else `before`. `values` must not fall."""
    marks = np.where(flags, values, before)
    np.maximum.accumulate(marks, axis=0, out=marks)
    return marks
