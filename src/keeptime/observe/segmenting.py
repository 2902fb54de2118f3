"""Which segment of an objective a request is counted in.

Guarantees: at most as many segments as the contract says have a place of their own, whatever comes in, and the rest
is one; a place is free again a day after the last request. A value that was seen costs one look into a dictionary.
Knows no clock; must be called under the counter's lock.
"""

from collections.abc import Callable, Iterable

from keeptime.contract.eligibility import Attributes
from keeptime.contract.scope import Per, Segment
from keeptime.contract.segments import name_of, read, rest_of, segment_of
from keeptime.contract.terms import Contract, Objective
from keeptime.model.key import ObjectiveKey

FREE_AFTER = 86_400.0
"""Seconds without a request after which a segment's place is another's."""
NEW = 0
"""The tick of a segment whose first one is not closed yet."""
MOST_SPELLINGS = 8
"""Ways to write the values of a segment that are looked up directly, for each place that there is."""


def _given(per: Per) -> Callable[[Attributes], object]:
    """What of the attributes tells the segments apart."""
    if len(per.by) == 1:
        only = per.by[0].attribute
        return lambda attributes: attributes.get(only)
    first, second = (each.attribute for each in per.by)
    return lambda attributes: (attributes.get(first), attributes.get(second))


class Segments:
    """Those of one objective; mutable. `seen`: for each that has a place, the last tick with a request."""

    def __init__(self, contract: str, objective: str, per: Per) -> None:
        self.per = per
        self.seen: dict[ObjectiveKey, int] = {}
        self._contract, self._objective = contract, objective
        self._given = _given(per)
        self._known: dict[object, ObjectiveKey] = {}
        self._places: dict[Segment, ObjectiveKey] = {}
        self._rest_of = rest_of(per)
        self._rest = self._key(self._rest_of)

    def key(self, attributes: Attributes) -> ObjectiveKey:
        """The segment of a request with these attributes."""
        found = self._known.get(self._given(attributes))
        return self._learn(attributes) if found is None else found

    def know(self, key: ObjectiveKey, tick: int) -> None:
        """An earlier life saw this one, last in this tick."""
        found = read(key.objective)
        if found is not None and key != self._rest and len(self.seen) < self.per.most:
            self._places[found[1]] = key
            self.seen[key] = max(tick, self.seen.get(key, tick))

    def see(self, keys: Iterable[ObjectiveKey], tick: int) -> None:
        """These had requests in this tick."""
        for key in keys:
            if key in self.seen:
                self.seen[key] = tick

    def free(self, before: int) -> None:
        """Forget those that were seen last before this tick."""
        gone = {key for key, tick in self.seen.items() if NEW < tick < before}
        if gone:
            self.seen = {key: tick for key, tick in self.seen.items() if key not in gone}
            self._known = {given: key for given, key in self._known.items() if key not in gone}
            self._places = {segment: key for segment, key in self._places.items() if key not in gone}

    def _learn(self, attributes: Attributes) -> ObjectiveKey:
        segment = segment_of(self.per, attributes)
        key = self._places.get(segment)
        if key is None:
            if len(self.seen) >= self.per.most or segment == self._rest_of:
                return self._rest
            key = self._places[segment] = self._key(segment)
            self.seen[key] = NEW
        if len(self._known) < MOST_SPELLINGS * self.per.most:
            self._known[self._given(attributes)] = key
        return key

    def _key(self, segment: Segment) -> ObjectiveKey:
        return ObjectiveKey(self._contract, name_of(self._objective, segment))


class Segmenting:
    """The segments of all contracts that are counted for; mutable."""

    def __init__(self, tick_seconds: float) -> None:
        self._free_after = round(FREE_AFTER / tick_seconds)
        self._all: dict[ObjectiveKey, Segments] = {}

    def replace(self, contracts: Iterable[Contract]) -> None:
        """Of these from now on; those of an objective that is split as before are kept."""
        before, self._all = self._all, {}
        for contract in contracts:
            for one in contract.objectives:
                key = contract.key(one)
                if one.per is not None and key not in self._all:
                    old = before.get(key)
                    same = old is not None and old.per == one.per
                    self._all[key] = old if old and same else Segments(*key, one.per)

    def of(self, contract: Contract, objective: Objective) -> Segments | None:
        return None if objective.per is None else self._all[contract.key(objective)]

    def know(self, key: ObjectiveKey, tick: int) -> None:
        found = read(key.objective)
        parent = None if found is None else self._all.get(ObjectiveKey(key.contract, found[0]))
        if parent is not None:
            parent.know(key, tick)

    def ended(self, tick: int, keys: Iterable[ObjectiveKey]) -> None:
        """A tick is closed in which these were counted."""
        if not self._all:
            return
        counted = list(keys)
        for each in self._all.values():
            each.see(counted, tick)
            each.free(tick - self._free_after)
