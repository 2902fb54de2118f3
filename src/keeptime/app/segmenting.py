"""Which segments are judged now: those of which something was counted lately.

Guarantees: a segment is judged from the first tick on that has anything of it, and rests when nothing came for its
contract's no_data_after, an hour at least; of its silence nothing is said. The same ticks give the same segments.
Knows no store and no clock.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from keeptime.contract.scope import Segment
from keeptime.contract.segments import has, read, with_segments
from keeptime.contract.terms import Contract
from keeptime.model.history import History
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import TickRecord

LEAST_REST = 3600.0
"""Seconds without a request after which a segment rests, at least: one that comes and goes is not judged anew each
time."""


class Segmenting:
    """`contracts`: with all their terms. Mutable; `seen`: for each that is judged, its last tick with an event."""

    def __init__(self, contracts: Sequence[Contract], tick_seconds: float) -> None:
        self._tick_seconds = tick_seconds
        self.seen: dict[ObjectiveKey, int] = {}
        self.replace(contracts)

    def replace(self, contracts: Sequence[Contract]) -> None:
        """Of these contracts from now on."""
        split = [each for each in contracts if any(one.per for one in each.objectives)]
        self._contracts = {each.name: each for each in split}
        self._rest = {each.name: self._ticks(each) for each in split}
        self.seen = {key: tick for key, tick in self.seen.items() if self._is_segment(key)}

    def resume(self, histories: Mapping[ObjectiveKey, History], tick: int) -> None:
        """Go on with those that an earlier life judged and that do not rest in this tick."""
        for key, history in histories.items():
            last = _last_event(history) if self._is_segment(key) else None
            if last is not None and not self._rests(key, last, tick):
                self.seen[key] = last

    def note(self, record: TickRecord) -> bool:
        """A tick is to be judged: are other segments judged from it on?"""
        if not self._contracts:
            return False
        before = set(self.seen)
        for key in record.tallies:
            if key in self.seen or self._is_segment(key):
                self.seen[key] = record.tick
        self.seen = {key: tick for key, tick in self.seen.items() if not self._rests(key, tick, record.tick)}
        return self.seen.keys() != before

    def applied(self, contracts: Sequence[Contract]) -> tuple[Contract, ...]:
        """These contracts with their segments."""
        if not self.seen:
            return tuple(contracts)
        found: dict[str, list[tuple[str, Segment]]] = {}
        for key in self.seen:
            known = read(key.objective)
            if known is not None:
                found.setdefault(key.contract, []).append(known)
        return tuple(with_segments(each, found.get(each.name, ())) for each in contracts)

    def _is_segment(self, key: ObjectiveKey) -> bool:
        contract = self._contracts.get(key.contract)
        found = read(key.objective) if contract is not None else None
        if contract is None or found is None:
            return False
        name, segment = found
        return any(each.name == name and has(each, segment) for each in contract.objectives)

    def _rests(self, key: ObjectiveKey, last: int, tick: int) -> bool:
        return tick - last >= self._rest.get(key.contract, 0)

    def _ticks(self, contract: Contract) -> int:
        return max(1, round(max(contract.no_data_after, LEAST_REST) / self._tick_seconds))


def _last_event(history: History) -> int | None:
    """The end of the last span with an event, as a tick."""
    found = np.flatnonzero(np.array(history.good) + np.array(history.bad))
    if not len(found):
        return None
    newest = int(found[-1])
    return history.first[newest] + history.ticks[newest] - 1
