"""A line of 90 days, small enough for a row: how the share of good requests stood to its target.

Guarantees: whole numbers, so that a thousand of them stay small; a day without requests breaks the line and is
never drawn as good; what fell short is marked by its shape, too. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from keeptime.model.series import DayCount

DAYS, HIGH = 90, 20
TARGET_AT = 8
"""Where the target's line is, from the top: above it lies what was better than promised."""


@dataclass(frozen=True, slots=True)
class Spark:
    """`line`: the path of an SVG [DAYS x HIGH]; `short`: a path of ticks below, one for each day that fell short;
    `label`: the same in words."""

    line: str
    short: str
    label: str


NOTHING = Spark("", "", "no day is over yet")


def spark_of(days: Mapping[int, DayCount], today: int, target: Fraction) -> Spark:
    """Of the days before today."""
    allowed = 1 - target
    points = [(at, _height(days.get(today - DAYS + at), allowed)) for at in range(DAYS)]
    known = [each for each in points if each[1] is not None]
    if not known:
        return NOTHING
    short = [at for at, height in known if height is not None and height > TARGET_AT]
    line, drawing = [], False
    for at, height in points:
        if height is not None:
            line.append(f"{' ' if drawing else 'M'}{at} {height}")
        drawing = height is not None
    fell = f"{len(short)} fell short" if short else "none fell short"
    marks = "".join(f"M{at} {HIGH}v-3" for at in short)
    return Spark(
        "".join(line) + ("h1" if len(known) == 1 else ""), marks, f"{len(known)} of 90 days had requests; {fell}"
    )


def _height(counted: DayCount | None, allowed: Fraction) -> int | None:
    """0 is all good, TARGET_AT the target, HIGH five times as many bad ones as are allowed, or more. What fell
    short is told by whole numbers, never by a rounded ratio."""
    if counted is None or not (events := counted.good + counted.bad):
        return None
    budget = allowed.numerator * events
    burn = counted.bad * allowed.denominator / budget
    if counted.bad * allowed.denominator <= budget:
        return round(burn * TARGET_AT)
    return min(HIGH, TARGET_AT + 1 + int((burn - 1) * (HIGH - TARGET_AT - 1) / 4))
