"""The fields of `expect`: what a good answer looks like.

Guarantees: a regex and a JSON path that are accepted are valid.
"""

import re
from dataclasses import dataclass

import jsonpath

from keeptime.contract.kinds import Checked, Size, text_of
from keeptime.contract.lists import Forms, ListOf, MapOf
from keeptime.contract.nodes import Broken, Listing, Node, Plain, Scalar, value_of
from keeptime.contract.probed import Expect
from keeptime.contract.report import Report, quote
from keeptime.contract.shapes import Field, Row, Schema, Shape, Table, wrong_type


@dataclass(frozen=True)
class Json:
    """Any JSON value; `true`, `null` and numbers without quotes are themselves, all else is text."""

    expected: str = "a JSON value"

    def read(self, node: Node, report: Report, what: str) -> Plain:
        if _holds_broken(node):
            wrong_type(Broken(node.place), report, what, self.expected)
        return value_of(node)

    def schema(self) -> Schema:
        return {}


def _holds_broken(node: Node) -> bool:
    if isinstance(node, Scalar | Broken):
        return isinstance(node, Broken)
    children = node.items if isinstance(node, Listing) else [entry.value for entry in node.entries]
    return any(_holds_broken(child) for child in children)


@dataclass(frozen=True)
class Status:
    """Inclusive ranges of status codes: 200, 2xx or 200-299."""

    expected: str = "a status such as 200, 2xx or 200-299"

    def read(self, node: Node, report: Report, what: str) -> tuple[tuple[int, int], ...]:
        scalar = text_of(node, report, what, self.expected)
        found = re.fullmatch(r"([1-5])xx|(\d{3})(?:\s?-\s?(\d{3}))?", scalar.text)
        if found is None:
            raise report.spoil(scalar.place, "bad-status", self._message(scalar, what))
        family, low, high = found.groups()
        span = (int(family) * 100, int(family) * 100 + 99) if family else (int(low), int(high or low))
        if not 100 <= span[0] <= span[1] <= 599:
            raise report.spoil(scalar.place, "bad-status", self._message(scalar, what))
        return (span,)

    def _message(self, scalar: Scalar, what: str) -> str:
        return f"{what}: {quote(scalar.text)} is no status; expected {self.expected}"

    def schema(self) -> Schema:
        text = {"type": "string", "pattern": r"^([1-5]xx|[1-5]\d\d( ?- ?[1-5]\d\d)?)$"}
        return {"anyOf": [{"type": "integer", "minimum": 100, "maximum": 599}, text]}


@dataclass(frozen=True)
class Statuses:
    """One status or a list of them, as ranges."""

    inner: ListOf[tuple[tuple[int, int], ...]] = ListOf(Status(), "statuses", most=20)  # noqa: RUF009

    @property
    def expected(self) -> str:
        return f"{self.inner.item.expected}, or a list of them"

    def read(self, node: Node, report: Report, what: str) -> tuple[tuple[int, int], ...]:
        return tuple(span for spans in self.inner.read(node, report, what) for span in spans)

    def schema(self) -> Schema:
        return self.inner.schema()


def _check_regex(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        return f"is no valid regular expression ({str(error)[:80]})"
    return ""


def _check_json_path(text: str) -> str:
    if not text.startswith("$"):
        return "is no JSON path: it does not begin with '$'"
    try:
        jsonpath.compile(text)
    except (jsonpath.JSONPathError, RecursionError, ValueError, OverflowError) as error:
        return f"is no valid JSON path ({str(error).splitlines()[0][:80]})"
    return ""


JSON_PATH = Checked("a JSON path such as $.label", "bad-json-path", _check_json_path, most=200)


@dataclass(frozen=True)
class Wanted:
    """What stands at a JSON path: a value, or `...` for whatever it is."""

    expected: str = "a JSON value, or ... for any"

    def read(self, node: Node, report: Report, what: str) -> object:
        if isinstance(node, Scalar) and node.plain and node.text == "...":
            return ...
        return Json().read(node, report, what)

    def schema(self) -> Schema:
        return {}


def _wanted(_: str) -> Shape[object]:
    return Wanted()


@dataclass(frozen=True)
class JsonExpectations:
    """`{path: value}`, or a list of paths that must be there."""

    expected: str = "a mapping of JSON paths to values, or a list of JSON paths"
    values: MapOf[object] = MapOf(JSON_PATH, _wanted, "JSON paths", most=50)  # noqa: RUF009
    paths: ListOf[str] = ListOf(JSON_PATH, "JSON paths", most=50)  # noqa: RUF009

    def read(self, node: Node, report: Report, what: str) -> tuple[tuple[str, object], ...]:
        if isinstance(node, Listing):
            return tuple((path, ...) for path in self.paths.read(node, report, what))
        if isinstance(node, Scalar):
            wrong_type(node, report, what, self.expected)
        return tuple(self.values.read(node, report, what).items())

    def schema(self) -> Schema:
        return {"anyOf": [self.values.schema(), self.paths.schema()]}


STATUS = Field(
    "status",
    Forms(Status(), listing=Statuses(), or_else="a status such as 200, 2xx or 200-299, or a list of them"),
    "Status codes of a good answer: 200, 2xx, 200-299, or a list of them.",
    default="2xx",
)
JSON_EXPECT = Field(
    "json",
    JsonExpectations(),
    "What the answer's JSON must hold: a mapping of JSON path (RFC 9535) to value, where an unquoted `...` stands "
    "for any value; or a list of paths that must be there.",
)
REGEX = Field(
    "regex",
    Checked("a regular expression", "bad-regex", _check_regex, most=1000),
    "A regular expression (Python's) that must be found in the first 64 KiB of the answer.",
)
MAX_BODY = Field(
    "max_body",
    Size(most=64 * 1024**2),
    "The largest body that is read; a larger one makes the request bad.",
    default="1MiB",
)


def _expect(row: Row) -> Expect:
    usual = Expect()
    return Expect(
        status=row.get(STATUS, usual.status),
        regex=row.get(REGEX, None),
        json=row.get(JSON_EXPECT, usual.json),
        max_body=row.get(MAX_BODY, usual.max_body),
    )


EXPECT_TABLE = Table("expect", "What a good answer looks like.", (STATUS, JSON_EXPECT, REGEX, MAX_BODY), _expect)
