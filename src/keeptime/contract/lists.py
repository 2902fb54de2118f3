"""Shapes that hold several values: lists, mappings with free keys, and short forms beside long ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from keeptime.contract.nodes import Entry, Listing, Mapped, Node, Scalar
from keeptime.contract.report import Report, Spoiled, quote
from keeptime.contract.shapes import Placed, Schema, Shape, Table, tables_of, wrong_type

T = TypeVar("T")


@dataclass(frozen=True)
class ListOf(Generic[T]):
    """At least `least`, at most `most` values. `across` sees all good ones with their places."""

    item: Shape[T]
    noun: str
    most: int
    least: int = 1
    across: Callable[[Sequence[Placed[T]], Report, str], None] | None = None

    @property
    def expected(self) -> str:
        return f"a list of {self.noun}"

    def read(self, node: Node, report: Report, what: str) -> tuple[T, ...]:
        return tuple(each.value for each in self.placed(node, report, what))

    def placed(self, node: Node, report: Report, what: str) -> tuple[Placed[T], ...]:
        if not isinstance(node, Listing):
            wrong_type(node, report, what, self.expected)
        self._check_length(node, report, what)
        good: list[Placed[T]] = []
        for index, item in enumerate(node.items[: self.most]):
            try:
                good.append(Placed(self.item.read(item, report, f"{what}[{index + 1}]"), item.place))
            except Spoiled:
                continue
        if self.across is not None:
            self.across(good, report, what)
        if len(good) < len(node.items):
            raise Spoiled(what)
        return tuple(good)

    def _check_length(self, node: Listing, report: Report, what: str) -> None:
        if len(node.items) < self.least:
            few = "an empty list" if not node.items else f"only {len(node.items)}"
            more = f" with at least {self.least}" if node.items else ""
            raise report.spoil(node.place, "empty-value", f"{what}: {few}; expected {self.expected}{more}")
        if len(node.items) > self.most:
            message = f"{what}: {len(node.items)} {self.noun}; at most {self.most} are allowed"
            report.error(node.place, "too-many", message)

    def tables(self) -> tuple[Table[object], ...]:
        return tables_of(self.item)

    def schema(self) -> Schema:
        return {"type": "array", "items": self.item.schema(), "minItems": self.least, "maxItems": self.most}


@dataclass(frozen=True)
class WithPlaces(Generic[T]):
    """A list whose values keep their places, for checks that come later."""

    inner: ListOf[T]

    @property
    def expected(self) -> str:
        return self.inner.expected

    def read(self, node: Node, report: Report, what: str) -> tuple[Placed[T], ...]:
        return self.inner.placed(node, report, what)

    def tables(self) -> tuple[Table[object], ...]:
        return self.inner.tables()

    def schema(self) -> Schema:
        return self.inner.schema()


@dataclass(frozen=True)
class MapOf(Generic[T]):
    """A mapping with free keys. `value` gives the shape that a key's value has."""

    key: Shape[str]
    value: Callable[[str], Shape[T]]
    noun: str
    most: int
    fold: bool = False

    @property
    def expected(self) -> str:
        return f"a mapping of {self.noun}"

    def read(self, node: Node, report: Report, what: str) -> dict[str, T]:
        if not isinstance(node, Mapped):
            wrong_type(node, report, what, self.expected)
        if len(node.entries) > self.most:
            message = f"{what}: {len(node.entries)} {self.noun}; at most {self.most} are allowed"
            raise report.spoil(node.place, "too-many", message)
        out: dict[str, T] = {}
        for entry in node.entries:
            self._read_entry(entry, out, report, what)
        if len(out) < len(node.entries):
            raise Spoiled(what)
        return out

    def _read_entry(self, entry: Entry, out: dict[str, T], report: Report, what: str) -> None:
        try:
            key = self.key.read(entry.key, report, what)
            if self.fold and key.lower() in map(str.lower, out):
                message = f"{what}: {quote(key)} is here twice; upper and lower case are the same here"
                raise report.spoil(entry.key.place, "duplicate-key", message)
            out[key] = self.value(key).read(entry.value, report, f"{what}.{key}")
        except Spoiled:
            return

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": self.key.schema(),
            "additionalProperties": self.value("").schema(),
            "maxProperties": self.most,
        }


@dataclass(frozen=True)
class Forms(Generic[T]):
    """A short form (a text) and long ones (a mapping, a list): the node's own kind picks."""

    short: Shape[T]
    mapping: Shape[T] | None = None
    listing: Shape[T] | None = None
    or_else: str = field(default="")

    @property
    def expected(self) -> str:
        return self.or_else or self.short.expected

    def read(self, node: Node, report: Report, what: str) -> T:
        if isinstance(node, Mapped) and self.mapping is not None:
            return self.mapping.read(node, report, what)
        if isinstance(node, Listing) and self.listing is not None:
            return self.listing.read(node, report, what)
        if isinstance(node, Scalar) and not node.empty:
            return self.short.read(node, report, what)
        return wrong_type(node, report, what, self.expected)

    def tables(self) -> tuple[Table[object], ...]:
        forms = (self.short, self.mapping, self.listing)
        return tuple(table for form in forms for table in tables_of(form))

    def schema(self) -> Schema:
        forms = [form for form in (self.short, self.mapping, self.listing) if form is not None]
        return {"anyOf": [form.schema() for form in forms]}
