"""Burn rates re-tuned until they give as few false alarms as `buckets`: the fairest rival that burn rates have.

Sloth's four tiers with all factors times `scale`, all windows times `windows`, and a test of chance at `alpha`. Of
all that give at most as many false alarms per month as asked for, on a population of their own, the soonest is
taken (the least median delay; where that is equal, the highest recall at 2 to 5 %).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.alert_quality.figures import Row
from bench.alert_quality.rules import RETUNED, Rival, retuned

SCALES = (0.7, 1.0, 1.5, 2.0, 3.0)
WINDOWS = (0.5, 1.0, 2.0)
ALPHAS = (1.0, 1e-3, 1e-6)
GRID = tuple((scale, windows, alpha) for scale in SCALES for windows in WINDOWS for alpha in ALPHAS)


@dataclass(frozen=True, slots=True)
class Tuned:
    """`row`: what these settings gave on the population that they were chosen on."""

    scale: float
    windows: float
    alpha: float
    row: Row

    @property
    def rival(self) -> Rival:
        return Rival(RETUNED, retuned(self.scale, self.windows, self.alpha))


Settings = tuple[float, float, float]
"""scale, windows, alpha"""


def tune(most_false: float, grid: Sequence[Settings], measure: Callable[[Sequence[Rival]], Sequence[Row]]) -> Tuned:
    """`measure` gives a row per rule. Where none has so few false alarms, the one with the fewest is taken."""
    rows = measure([Rival(f"{each}", retuned(*each)) for each in grid])
    tried = [Tuned(*each, row) for each, row in zip(grid, rows, strict=True)]
    allowed = [each for each in tried if each.row.false_per_month <= most_false]
    if not allowed:
        return min(tried, key=lambda each: each.row.false_per_month)
    return min(allowed, key=lambda each: (each.row.detect_median, -_number(each.row.recall[2])))


def _number(value: float) -> float:
    return 0.0 if math.isnan(value) else value
