"""Statistics of intervals: the fields `each`, `statistic`, `min_samples` and `empty`.

Guarantees: an interval is whole minutes that divide an hour, so intervals lie on the epoch grid; a percentile's
share is exact. Knows no counts.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from keeptime.contract.kinds import Choice, Duration, Whole, text_of
from keeptime.contract.limits import Interval
from keeptime.contract.nodes import Node
from keeptime.contract.report import Report, quote
from keeptime.contract.shapes import Field, Row, Schema

MEAN = "mean"
_PERCENTILE = re.compile(r"p(\d{1,2}(\.\d{1,3})?)")


class Empty(StrEnum):
    """What an interval with too few requests is."""

    SKIP = "skip"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True)
class StatisticShape:
    """`p95`, `p99.9`, or `mean`."""

    expected: str = "mean, or a percentile such as p50, p95 or p99.9"

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        found = _PERCENTILE.fullmatch(scalar.text)
        if scalar.text != MEAN and (found is None or not 0 < Fraction(found[1]) < 100):
            message = f"{what}: {quote(scalar.text)} is no statistic; expected {self.expected}"
            raise report.spoil(scalar.place, "bad-statistic", message)
        return scalar.text

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^(mean|p\d{1,2}(\.\d{1,3})?)$", "examples": ["p95"]}


@dataclass(frozen=True)
class EachShape:
    """Whole minutes that divide an hour."""

    expected: str = "1m, 2m, 3m, 4m, 5m, 6m, 10m, 12m, 15m, 20m, 30m or 1h"

    def read(self, node: Node, report: Report, what: str) -> float:
        seconds = Duration(60, 3600, "5m").read(node, report, what)
        if seconds % 60 or 3600 % seconds:
            message = f"{what}: intervals must be whole minutes that divide an hour; expected {self.expected}"
            raise report.spoil(node.place, "bad-interval", message)
        return seconds

    def schema(self) -> Schema:
        return {"type": "string", "examples": ["5m"]}


EACH = Field("each", EachShape(), "What is judged is each interval of this length, by a statistic of its requests.")
STATISTIC = Field("statistic", StatisticShape(), "The statistic of an interval that must keep to `under`.")
MIN_SAMPLES = Field("min_samples", Whole(1, 1_000_000), "An interval with fewer requests is `empty`.", default="1")
EMPTY = Field(
    "empty",
    Choice(Empty),
    "An interval with too few requests counts as good, as bad, or not at all.",
    default="skip",
)
MIN_EVENTS = Field(
    "min_events",
    Whole(1, 1_000_000_000),
    "With fewer requests in the window it is never broken, and a period is undecided.",
    default="none",
)
FIELDS = (EACH, STATISTIC, MIN_SAMPLES, EMPTY, MIN_EVENTS)


def interval(row: Row, under: float | None) -> Interval | None:
    """The interval of a row; None where it is judged request by request."""
    each, statistic = row.get(EACH, None), row.get(STATISTIC, None)
    if each is None:
        for field in (STATISTIC, MIN_SAMPLES, EMPTY):
            if row.find(field) is not None:
                message = f"{row.what}: '{field.key}' is of intervals; add 'each', such as each: 5m"
                raise row.report.spoil(row.place_of(field), "interval-incomplete", message)
        return None
    if statistic is None or under is None:
        message = f"{row.what}: intervals need a statistic and a threshold; add 'statistic: p95' and 'under'"
        raise row.report.spoil(row.place_of(EACH), "interval-incomplete", message)
    return Interval(each, statistic, row.get(MIN_SAMPLES, 1), str(row.get(EMPTY, Empty.SKIP)))
