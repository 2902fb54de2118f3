"""What may stand below the key of an observer whose fields may all be left out: nothing at all.

Guarantees: `- push:` is read as `- push: {}` is.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from keeptime.contract.nodes import Mapped, Node, Scalar
from keeptime.contract.report import Report
from keeptime.contract.shapes import Schema, Table

T = TypeVar("T")


@dataclass(frozen=True)
class OrNothing(Generic[T]):
    """The table, or an empty value for an empty one."""

    table: Table[T]

    @property
    def expected(self) -> str:
        return f"{self.table.expected}, or nothing"

    def read(self, node: Node, report: Report, what: str) -> T:
        if isinstance(node, Scalar) and node.empty:
            return self.table.read(Mapped((), node.place), report, what)
        return self.table.read(node, report, what)

    def tables(self) -> tuple[Table[object], ...]:
        return (self.table,)

    def schema(self) -> Schema:
        return {"anyOf": [self.table.schema(), {"type": "null"}]}
