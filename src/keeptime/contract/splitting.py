"""The field `per` of an objective: by which attributes it is judged apart, beside the whole.

Guarantees: at most two attributes, each once; edges of number classes ascend.
"""

from dataclasses import dataclass

from keeptime.contract.exempting import ATTRIBUTE, ATTRIBUTE_PATTERN
from keeptime.contract.kinds import Number, Whole
from keeptime.contract.lists import Forms, ListOf
from keeptime.contract.nodes import Mapped, Node, Scalar
from keeptime.contract.report import Report
from keeptime.contract.scope import MOST_SEGMENTS, Per, Split
from keeptime.contract.shapes import Field, Row, Schema, Shape, Table, wrong_type

MOST_ATTRIBUTES = 2
MOST_EDGES = 10
LARGEST = 1e12
_EDGES = ListOf(Number(LARGEST), "bounds of classes", MOST_EDGES)


@dataclass(frozen=True)
class SplitShape:
    """`model_version`, or `{input_tokens: [1000, 4000]}`."""

    expected: str = "an attribute such as model_version, or one with bounds: {input_tokens: [1000, 4000]}"

    def read(self, node: Node, report: Report, what: str) -> Split:
        if isinstance(node, Scalar) and not node.empty:
            return Split(ATTRIBUTE.read(node, report, what))
        if not isinstance(node, Mapped) or len(node.entries) != 1:
            wrong_type(node, report, what, self.expected)
        entry = node.entries[0]
        name = ATTRIBUTE.read(entry.key, report, what)
        edges = _EDGES.read(entry.value, report, f"{what}.{name}")
        if list(edges) != sorted(set(edges)):
            message = f"{what}.{name}: the bounds do not ascend; expected each larger than the one before it"
            raise report.spoil(entry.value.place, "edges-unordered", message)
        return Split(name, edges)

    def schema(self) -> Schema:
        classes: Schema = {
            "type": "object",
            "propertyNames": ATTRIBUTE.schema(),
            "additionalProperties": _EDGES.schema(),
            "minProperties": 1,
            "maxProperties": 1,
        }
        return {"anyOf": [ATTRIBUTE.schema(), classes]}


@dataclass(frozen=True)
class SplitsShape:
    """One attribute, or a list of them."""

    item: Shape[Split] = SplitShape()

    @property
    def expected(self) -> str:
        return "an attribute such as model_version, or a list of one or two"

    def read(self, node: Node, report: Report, what: str) -> tuple[Split, ...]:
        if isinstance(node, Scalar) and not node.empty:
            return (self.item.read(node, report, what),)
        found = ListOf(self.item, "attributes", MOST_ATTRIBUTES).read(node, report, what)
        if len({each.attribute for each in found}) < len(found):
            message = f"{what}: '{found[0].attribute}' is there twice; expected two attributes"
            raise report.spoil(node.place, "duplicate-key", message)
        return found

    def schema(self) -> Schema:
        listed = ListOf(self.item, "attributes", MOST_ATTRIBUTES).schema()
        return {"anyOf": [{"type": "string", "pattern": f"^{ATTRIBUTE_PATTERN}$"}, listed]}


BY = Field("by", SplitsShape(), "One or two attributes, each with bounds where it is a number.", required=True)
MOST = Field(
    "most",
    Whole(1, 200),
    "So many segments have a place of their own; the rest is judged together as `other`.",
    default=f"{MOST_SEGMENTS}",
)


def _per(row: Row) -> Per:
    return Per(row.need(BY), row.get(MOST, MOST_SEGMENTS))


PER_TABLE = Table("per", "By which attributes an objective is judged apart.", (BY, MOST), _per)


@dataclass(frozen=True)
class Listed:
    """The short form: attributes alone."""

    inner: SplitsShape = SplitsShape()

    @property
    def expected(self) -> str:
        return self.inner.expected

    def read(self, node: Node, report: Report, what: str) -> Per:
        return Per(self.inner.read(node, report, what))

    def schema(self) -> Schema:
        return self.inner.schema()


PER = Field(
    "per",
    Forms(Listed(), mapping=PER_TABLE, listing=Listed()),
    "Judge it for each value of these attributes too, beside the whole; operators alone hear of that.",
    default="judged as a whole alone",
)
