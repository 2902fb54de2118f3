"""The fields `where` and `exclude`: which requests an objective is about, and which of them do not count."""

import re
from dataclasses import dataclass

from keeptime.contract.eligibility import COMPARISON
from keeptime.contract.expectations import STATUS
from keeptime.contract.kinds import Choice, Text, text_of
from keeptime.contract.lists import Forms, ListOf, MapOf
from keeptime.contract.nodes import Node
from keeptime.contract.report import Report, quote
from keeptime.contract.scope import Exclude, Wanted, Where
from keeptime.contract.shapes import Field, Row, Schema, Shape, Table
from keeptime.model.sample import Failure

ATTRIBUTE_PATTERN = r"[a-z_][a-z0-9_]{0,62}"
BUILT_IN = ("status", "failure", "connection", "observer")
"""Attributes that every probe has: of a failed one `failure`, of an answered one `status`."""


@dataclass(frozen=True)
class AttributeName:
    """A name that can stand for a label of a metric."""

    expected: str = "a name of lower-case letters, digits and _, such as model_version"

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        if re.fullmatch(ATTRIBUTE_PATTERN, scalar.text, re.ASCII) is None:
            message = f"{what}: {quote(scalar.text)} is no name of an attribute; expected {self.expected}"
            raise report.spoil(scalar.place, "bad-name", message)
        return scalar.text

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{ATTRIBUTE_PATTERN}$"}


ATTRIBUTE = AttributeName()


@dataclass(frozen=True)
class Test:
    """One value that an attribute may have."""

    expected: str = "a value, a pattern such as eu-*, or a comparison such as '<= 4096'"

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        text = Text(self.expected).read(node, report, what)
        if text[0] in "<>=!" and COMPARISON.fullmatch(text) is None:
            message = f"{what}: {quote(text)} compares with no number; expected <, <=, >, >= or != and a number"
            raise report.spoil(scalar.place, "bad-comparison", message)
        return text

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"]}


_TESTS: Shape[str | tuple[str, ...]] = Forms(
    Test(), listing=ListOf(Test(), "values", most=50), or_else=f"{Test.expected}, or a list of them"
)


def _tests(_: str) -> Shape[str | tuple[str, ...]]:
    return _TESTS


@dataclass(frozen=True)
class WhereShape:
    """`{model_version: v2, region: eu-*}`."""

    inner: MapOf[str | tuple[str, ...]] = MapOf(ATTRIBUTE, _tests, "attributes", most=20)  # noqa: RUF009

    @property
    def expected(self) -> str:
        return "a mapping of attributes to values, such as {region: eu-*}"

    def read(self, node: Node, report: Report, what: str) -> Where:
        found = self.inner.read(node, report, what)
        if not found:
            raise report.spoil(node.place, "empty-value", f"{what}: says nothing; expected {self.expected}")
        return tuple(Wanted(name, (each,) if isinstance(each, str) else each) for name, each in found.items())

    def schema(self) -> Schema:
        return {**self.inner.schema(), "minProperties": 1}


EXCLUDED_STATUS = Field("status", STATUS.shape, "Answers with such a status: 429, 4xx, 500-599, or a list of them.")
FAILURE = Field("failure", Choice(Failure), "Requests that failed in this way.")
IF = Field("where", WhereShape(), "Requests with such attributes.")
REASON = Field("reason", Text(), "Why, as reports say it.", required=True)
AUTHOR = Field("author", Text(), "Who says so.", default="not said")


def _exclude(row: Row) -> Exclude:
    found = Exclude(
        reason=row.need(REASON),
        author=row.get(AUTHOR, ""),
        status=row.get(EXCLUDED_STATUS, ()),
        failure=row.get(FAILURE, None),
        where=row.get(IF, ()),
    )
    if not (found.status or found.failure or found.where):
        message = f"{row.what}: excludes nothing in particular; expected status, failure or where"
        raise row.report.spoil(row.place, "missing-key", message)
    return found


EXCLUDE_TABLE = Table(
    "exclude",
    "Requests that do not count: all that is given here must hold.",
    (EXCLUDED_STATUS, FAILURE, IF, REASON, AUTHOR),
    _exclude,
)
EXCLUDES = ListOf(EXCLUDE_TABLE, "exclusions", most=50)
EXCLUDE = Field(
    "exclude", EXCLUDES, "Requests that do not count for any objective, each with a reason.", default="none"
)
OBJECTIVE_EXCLUDE = Field(
    "exclude", EXCLUDES, "Requests that do not count for this objective, beside the contract's.", default="none"
)
WHERE = Field(
    "where",
    WhereShape(),
    "Which requests it is about, by attributes: all must hold. Others are no events of it at all.",
    default="every request",
)
