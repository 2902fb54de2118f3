"""What was counted for each objective since keeptime started, as counters of Prometheus want it.

Guarantees: a sum moves when its tick is closed, by exactly what the judge is given (of objectives on intervals: by
the requests that these are made of), and never falls while keeptime runs. Knows neither clock nor store.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from keeptime.model.exclusion import Exclusion
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally, TickRecord


class Counted:
    """Sums over ticks; mutable."""

    def __init__(self) -> None:
        self._sums: dict[ObjectiveKey, Tally] = {}
        self._excluded: dict[ObjectiveKey, Counter[Exclusion]] = {}

    def add(self, records: Sequence[TickRecord]) -> None:
        for record in records:
            for key, tally in record.tallies.items():
                self._sums[key] = self.of(key) + tally
            for key, reasons in record.exclusions.items():
                self._excluded.setdefault(key, Counter()).update(reasons)

    def of(self, key: ObjectiveKey) -> Tally:
        return self._sums.get(key, Tally())

    def excluded(self, key: ObjectiveKey) -> Mapping[Exclusion, int]:
        """What was left out, by reason."""
        return Counter(self._excluded.get(key, {}))
