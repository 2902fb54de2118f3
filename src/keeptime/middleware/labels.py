"""Values of labels come from outside: they are cleaned, cut, and capped in number.

Guarantees: however many routes, model versions and consumers a server is asked for, a label has no more than its
cap of values; the rest is `other`. A value is printable text of at most LONGEST bytes. No I/O, no clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from keeptime.middleware.layout import Labels

OTHER = "other"
LONGEST = 150
"""Bytes of a value in UTF-8; what is longer is cut."""


@dataclass(frozen=True, slots=True)
class Caps:
    """How many values each label may have."""

    route: int = 100
    model: int = 20
    model_version: int = 20
    consumer: int = 50


class Capped:
    """The labels as they are recorded. `most`: series in all; the rest is one series, `other` in each label.

    `beyond`: how often a value was made `other`. Not for several threads at once.
    """

    def __init__(self, caps: Caps, most: int) -> None:
        self.beyond = 0
        self._caps = caps
        self._most = most
        self._known: tuple[set[str], ...] = tuple(set() for _ in Labels._fields)
        self._series: set[Labels] = set()

    def know(self, others: Iterable[Labels]) -> None:
        """What other workers record already is recorded here, too, and counts for the caps."""
        for labels in others:
            for known, value in zip(self._known, labels, strict=True):
                if value not in ("", OTHER):
                    known.add(value)

    def knows(self, labels: Labels) -> bool:
        """Is there nothing new in these labels, or no room for it? Then others need not be asked."""
        return len(self._series) >= self._most or all(
            not value or len(known) >= getattr(self._caps, name) or clean(value) in known
            for (name, value), known in zip(zip(labels._fields, labels, strict=True), self._known, strict=True)
        )

    def capped(self, labels: Labels) -> Labels:
        """These labels, cleaned, with `other` for what is beyond a cap."""
        found = Labels(*(self._one(at, name, clean(value)) for at, (name, value) in _named(labels)))
        if found in self._series:
            return found
        if len(self._series) >= self._most:
            return self.other(found)
        self._series.add(found)
        return found

    def other(self, labels: Labels) -> Labels:
        """What is counted in the place of these, for which there is none."""
        self.beyond += 1
        return Labels(*(OTHER if value else "" for value in labels))

    def _one(self, at: int, name: str, value: str) -> str:
        known = self._known[at]
        if value in known or value in ("", OTHER):
            return value
        if len(known) >= getattr(self._caps, name):
            self.beyond += 1
            return OTHER
        known.add(value)
        return value


def _named(labels: Labels) -> Iterable[tuple[int, tuple[str, str]]]:
    return enumerate(zip(labels._fields, labels, strict=True))


def clean(value: str) -> str:
    """Printable, without space around it, cut. An application may have said a number: no request fails by that."""
    value = str(value)[: LONGEST * 2].strip()
    if not value.isprintable():
        value = "".join(each if each.isprintable() else "?" for each in value)
    return value.encode()[:LONGEST].decode(errors="ignore")
