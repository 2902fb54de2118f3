"""Every objective's counts as the judge restarts from them, in as few bytes as they need.

Guarantees: spans of one objective stay in the order in which they were read; a count that does not fit into 32 bits
is kept whole. Knows no database.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from keeptime.model.history import History
from keeptime.model.key import ObjectiveKey
from keeptime.store.grid import ID_BITS, MOST_IDS

AT_A_TIME = 100_000
"""Rows that are in memory at once while they are read."""

_COLUMNS = ("first", "good", "bad", "skipped", "excluded")


@dataclass(slots=True)
class Spans:
    """One objective's spans: 32-bit numbers until one does not fit."""

    columns: "list[array[int]]" = field(default_factory=lambda: [array("i") for _ in _COLUMNS])
    runs: list[tuple[int, int]] = field(default_factory=list)

    def begin(self, ticks: int) -> None:
        """Spans from here on are so long."""
        self.runs.append((len(self.columns[0]), ticks))

    def extend(self, rows: "np.ndarray[tuple[int, int], np.dtype[np.int64]]", small: bool) -> None:
        """The first ticks and the counts, a row each in the order of _COLUMNS. `small`: all fit into 32 bits."""
        if not small and self.columns[0].typecode == "i":
            self.columns = [array("q", column) for column in self.columns]
        kind = np.int32 if self.columns[0].typecode == "i" else np.int64
        for column, values in zip(self.columns, rows.astype(kind), strict=True):
            column.frombytes(values.tobytes())

    def history(self, born: int) -> History:
        ticks, length = array("q"), len(self.columns[0])
        for (start, each), (end, _) in zip(self.runs, [*self.runs[1:], (length, 0)], strict=True):
            ticks.extend(array("q", [each]) * (end - start))
        first, *counts = (array("q", column) for column in self.columns)
        return History(born, first, ticks, *counts)


def read(spans: Mapping[int, Spans], rows: Iterable[tuple[int, ...]]) -> None:
    """Add rows (key, good, bad, skipped, excluded) to the spans of the objectives that their keys name."""
    table = np.array(list(rows), dtype=np.int64).reshape(-1, len(_COLUMNS)).T
    if not table.size:
        return
    ids = table[0] & (MOST_IDS - 1)
    order = np.argsort(ids, kind="stable")
    ids, table = ids[order], table[:, order]
    table[0] >>= ID_BITS
    small = bool(table.max() < 1 << 31)
    starts = np.flatnonzero(np.diff(ids, prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(ids)], strict=True):
        found = spans.get(int(ids[start]))
        if found is not None:
            found.extend(table[:, start:end], small)


@dataclass(frozen=True, slots=True)
class Histories(Mapping[ObjectiveKey, History]):
    """Every objective's history, kept small; each is unpacked when it is asked for."""

    ids: Mapping[ObjectiveKey, int]
    born: Mapping[int, int]
    spans: Mapping[int, Spans]

    def __getitem__(self, key: ObjectiveKey) -> History:
        identity = self.ids[key]
        return self.spans[identity].history(self.born[identity])

    def __iter__(self) -> Iterator[ObjectiveKey]:
        return iter(self.ids)

    def __len__(self) -> int:
        return len(self.ids)
