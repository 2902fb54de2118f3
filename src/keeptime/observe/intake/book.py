"""What came in for each entry of a contract, kept for show.

Guarantees: counts never fall while an entry stays as it is.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from keeptime.contract.terms import Contract
from keeptime.contract.traffic.source import Traffic
from keeptime.model.traffic import TrafficView


@dataclass(slots=True)
class Page:
    """Of one entry: `results` by what became of an item, requests counted, Unix seconds of the last body."""

    results: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    at: float | None = None

    def note(self, now_ns: int, requests: int, **results: int) -> None:
        self.requests += requests
        self.results.update({name: many for name, many in results.items() if many})
        self.at = now_ns / 1e9

    def view(self, entry: Traffic) -> TrafficView:
        return TrafficView(entry.kind, entry.said, dict(self.results), self.requests, "", self.at)


class Book:
    """The pages of all entries of one kind."""

    def __init__(self, kind: str, contracts: Sequence[Contract]) -> None:
        self._kind = kind
        self._pages: dict[tuple[str, Traffic], Page] = {}
        self._entries: dict[str, tuple[Traffic, ...]] = {}
        self.replace(contracts)

    def replace(self, contracts: Sequence[Contract]) -> None:
        """The pages of entries that stay are kept."""
        self._entries = {each.name: entries_of(each, self._kind) for each in contracts}
        wanted = {(name, entry) for name, entries in self._entries.items() for entry in entries}
        self._pages = {key: self._pages.get(key) or Page() for key in wanted}

    def page(self, contract: str, entry: Traffic) -> Page:
        """Of one that is not there any more, a page that nobody sees."""
        return self._pages.get((contract, entry)) or Page()

    def views(self, contract: str) -> list[TrafficView]:
        return [self._pages[contract, entry].view(entry) for entry in self._entries.get(contract, ())]


def entries_of(contract: Contract, kind: str) -> tuple[Traffic, ...]:
    """What of this kind the contract observes; each once."""
    return tuple(dict.fromkeys(each for each in contract.traffic if each.kind == kind))
