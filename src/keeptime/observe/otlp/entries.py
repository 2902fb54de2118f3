"""Which entries of which contracts a resource is for.

Guarantees: a resource is looked up once while it stays the same and the contracts do. Pure but for that.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from keeptime.contract.eligibility import fits
from keeptime.contract.terms import Contract
from keeptime.contract.traffic.otlp import Otlp
from keeptime.model.key import Signal
from keeptime.observe.otlp.attributes import attributes_of, name_of
from keeptime.observe.otlp.conventions import USUAL

MOST_KNOWN = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of one contract. `named`: histogram -> signal, where the contract says it. `slow_ns`: what takes
    longer misses an objective; None where none says."""

    contract: str
    otlp: Otlp
    named: Mapping[str, Signal] = field(hash=False)
    slow_ns: int | None
    renamed: tuple[tuple[str, str], ...] = ()

    def known(self, attributes: Mapping[str, str]) -> Mapping[str, str]:
        """These, under the further names that the contract gives some of them, too."""
        if not self.renamed:
            return attributes
        return {**attributes, **{new: attributes[old] for new, old in self.renamed if old in attributes}}

    def signal_of(self, metric: str) -> Signal | None:
        """What a histogram of this name tells of here."""
        if metric in self.named:
            return self.named[metric]
        usual = USUAL.get(metric)
        return None if usual is None or usual.signal in self.otlp.metrics else usual.signal


@dataclass(frozen=True, slots=True)
class From:
    """A resource: who it is, whose entries it is for, and what is known of all that it reports."""

    service: str
    identity: bytes
    attributes: Mapping[str, str]
    entries: tuple[Entry, ...]


class Entries:
    """Of these contracts, watched since `since_ns`."""

    def __init__(self, contracts: Sequence[Contract], since_ns: int) -> None:
        self.since_ns = since_ns
        self._entries = tuple(
            _entry(contract, each) for contract in contracts for each in contract.traffic if isinstance(each, Otlp)
        )
        self._known: OrderedDict[bytes, From] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._entries)

    def since(self, before: "Entries", now_ns: int) -> "Entries":
        """Those to go on with: the ones of before, where these are no others, else these from now on."""
        if self._entries == before._entries:
            return before
        self.since_ns = now_ns
        return self

    def of(self, resource: Resource) -> From:
        """Raises Wrong."""
        identity = blake2b(resource.SerializeToString(deterministic=True), digest_size=16).digest()
        known = self._known.get(identity)
        if known is None:
            known = self._known[identity] = self._look(resource, identity)
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return known

    def _look(self, resource: Resource, identity: bytes) -> From:
        attributes = attributes_of(resource)
        service = attributes.get("service_name", "")
        entries = [
            each
            for each in self._entries
            if each.otlp.service in ("", service) and fits(each.otlp.where, attributes)
        ]
        return From(service, identity, attributes, tuple(entries))


def _entry(contract: Contract, one: Otlp) -> Entry:
    under = [each.under_ns for each in contract.objectives if each.under_ns and each.of is Signal.REQUESTS]
    named = {metric: Signal(str(signal)) for signal, metric in one.metrics.items()}
    renamed = tuple((new, name_of(old)) for new, old in one.attributes)
    return Entry(contract.name, one, named, min(under, default=None), renamed)
