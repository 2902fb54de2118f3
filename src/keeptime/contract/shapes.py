"""What a contract's fields are made of: shapes, and the table of fields.

Guarantees: a shape both reads a tree and says its JSON Schema, so the two cannot differ; a reader reports every
mistake it finds before it raises Spoiled. Knows nothing of any particular field.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NoReturn, Protocol, TypeVar, cast, runtime_checkable

from keeptime.contract.nodes import Broken, Entry, Mapped, Node, Place, Scalar, what_is
from keeptime.contract.report import Report, Spoiled, nearest, one_of, quote

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Schema = dict[str, object]


class Shape(Protocol[T_co]):
    """One kind of value. `expected` completes "expected …". `what` is the field's path, for messages."""

    @property
    def expected(self) -> str: ...

    def read(self, node: Node, report: Report, what: str) -> T_co:
        """The value. Raises Spoiled when it cannot be read; why is then in the report."""
        ...

    def schema(self) -> Schema: ...


@runtime_checkable
class Nesting(Protocol):
    """A shape that has tables of fields within it."""

    def tables(self) -> "tuple[Table[object], ...]":
        """The tables directly within it, not those within these."""
        ...


def tables_of(shape: object) -> "tuple[Table[object], ...]":
    """The tables directly within a shape; none of a scalar."""
    return shape.tables() if isinstance(shape, Nesting) else ()


def wrong_type(node: Node, report: Report, what: str, expected: str) -> NoReturn:
    """Report that a value has the wrong form. Raises Spoiled."""
    if isinstance(node, Broken):
        raise Spoiled("broken")
    given = quote(node.text) if isinstance(node, Scalar) and not node.empty else what_is(node)
    raise report.spoil(node.place, "wrong-type", f"{what}: given {given}, expected {expected}")


@dataclass(frozen=True, slots=True)
class Placed(Generic[T_co]):
    """A value and where it stands."""

    value: T_co
    place: Place


@dataclass(frozen=True)
class Field(Generic[T_co]):
    """One key of a table. `about`: a sentence for the schema and the reference. `default`: the same, in words."""

    key: str
    shape: Shape[T_co]
    about: str
    required: bool = False
    default: str = ""


class Row:
    """The fields of one table as read. A field that was wrong spoils whoever asks for it."""

    def __init__(self, place: Place, what: str, report: Report) -> None:
        self.report = report
        self.place = place
        self.what = what
        self._values: dict[str, Placed[object]] = {}
        self._spoiled: set[str] = set()

    def put(self, key: str, value: Placed[object]) -> None:
        self._values[key] = value

    def spoil(self, key: str) -> None:
        self._spoiled.add(key)

    def find(self, wanted: Field[T]) -> Placed[T] | None:
        """The value and its place, None if the key is absent. Raises Spoiled if it is wrong."""
        if wanted.key in self._spoiled:
            raise Spoiled(wanted.key)
        return cast("Placed[T] | None", self._values.get(wanted.key))

    def get(self, wanted: Field[T], default: T) -> T:
        found = self.find(wanted)
        return default if found is None else found.value

    def need(self, wanted: Field[T]) -> T:
        """The value of a required field."""
        found = self.find(wanted)
        if found is None:
            raise Spoiled(wanted.key)
        return found.value

    def place_of(self, wanted: Field[T]) -> Place:
        """Where a field's value stands; the table's own place if it is absent."""
        found = self._values.get(wanted.key)
        return self.place if found is None else found.place

    def sound(self) -> None:
        """Raises Spoiled if any field is wrong."""
        if self._spoiled:
            raise Spoiled(self.what)


@dataclass(frozen=True)
class Table(Generic[T_co]):
    """A mapping with known keys, and what is built from it. `build` may report and raise Spoiled."""

    name: str
    about: str
    fields: tuple[Field[object], ...]
    build: Callable[[Row], T_co]

    @property
    def expected(self) -> str:
        keys = [each.key for each in self.fields if each.required] or [each.key for each in self.fields]
        return f"a mapping with {', '.join(keys[:6])}"

    def read(self, node: Node, report: Report, what: str) -> T_co:
        if not isinstance(node, Mapped):
            wrong_type(node, report, what or self.name, self.expected)
        row = self.row(node, report, what)
        built = self.build(row)
        row.sound()
        return built

    def row(self, node: Mapped, report: Report, what: str) -> Row:
        """Every field that is there; reports unknown keys, missing ones and wrong values."""
        row = Row(node.place, what, report)
        known = {each.key: each for each in self.fields}
        for entry in node.entries:
            self._read_entry(entry, known, row, report)
        self._note_missing(node, row, list(known))
        return row

    def _note_missing(self, node: Mapped, row: Row, known: Sequence[str]) -> None:
        """Report required keys that are not there, not even misspelt (that is reported as it is)."""
        present = [entry.key.text for entry in node.entries]
        misspelt = {nearest(key, known) for key in present[: 2 * len(known)] if key not in known}
        for each in self.fields:
            if not each.required or each.key in present:
                continue
            row.spoil(each.key)
            if nearest(each.key, [each.key]) not in misspelt:
                message = (
                    f"{row.what or self.name}: the key '{each.key}' is missing; expected {each.shape.expected}"
                )
                row.report.error(node.place, "missing-key", message)

    def _read_entry(self, entry: Entry, known: Mapping[str, Field[object]], row: Row, report: Report) -> None:
        wanted = known.get(entry.key.text)
        if wanted is None:
            row.spoil(entry.key.text)
            if not report.full:
                report.error(entry.key.place, "unknown-key", self._unknown(entry.key.text, list(known)))
            return
        what = f"{row.what}.{wanted.key}" if row.what else wanted.key
        try:
            row.put(wanted.key, Placed(wanted.shape.read(entry.value, report, what), entry.value.place))
        except Spoiled:
            row.spoil(wanted.key)

    def _unknown(self, key: str, known: Sequence[str]) -> str:
        hint = nearest(key, known) or f"; expected {one_of(known)}"
        return f"unknown key {quote(key)} in {self.name}{hint}"

    def tables(self) -> "tuple[Table[object], ...]":
        return (self,)

    def schema(self) -> Schema:
        out: Schema = {"type": "object", "description": self.about, "additionalProperties": False}
        out["properties"] = {each.key: described(each) for each in self.fields}
        required = [each.key for each in self.fields if each.required]
        return {**out, "required": required} if required else out


def described(each: Field[object]) -> Schema:
    """A field's schema with its sentence."""
    about = f"{each.about} Default: {each.default}." if each.default else each.about
    return {**each.shape.schema(), "description": about}
