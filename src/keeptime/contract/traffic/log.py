"""The fields of `observe: - log:`: an access log that grows.

Guarantees: of a log that is accepted it is known where in a line the latency and the status stand, and in
which unit.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from keeptime.contract.exempting import ATTRIBUTE, WhereShape
from keeptime.contract.expectations import STATUS
from keeptime.contract.given import Terms, given
from keeptime.contract.kinds import Choice, Text
from keeptime.contract.lists import MapOf
from keeptime.contract.nodes import Node, Scalar
from keeptime.contract.references import FilePath
from keeptime.contract.report import Report, nearest, one_of, quote
from keeptime.contract.scope import Where
from keeptime.contract.shapes import Field, Row, Schema, Shape, Table
from keeptime.contract.traffic.log_fields import FIELDS, Fields, bare, fields_of
from keeptime.contract.traffic.log_format import JSON, NAMED, Unreadable, is_envoy, parts_of
from keeptime.contract.traffic.source import Traffic
from keeptime.model.key import Signal

BUILT_IN = ("method", "path", "upstream", "flags", "status")
"""Attributes that a line has where its format tells them."""

FAILED = ((500, 599),)


class Begin(StrEnum):
    """Where in a log that is there already reading begins."""

    END = "end"
    START = "start"


@dataclass(frozen=True, slots=True)
class Log(Traffic):
    """The lines that are added to the file at `path`. `format`: a name or a template. `failed`: inclusive
    ranges of status."""

    path: str
    format: str
    fields: Fields
    attributes: tuple[tuple[str, str], ...] = ()
    match: Where = ()
    failed: tuple[tuple[int, int], ...] = FAILED
    begin: Begin = Begin.END

    def tells(self, of: Signal) -> bool:
        """A line tells of the first token and of how many there were, where it has them; of none in between."""
        told = {Signal.FIRST_TOKEN: self.fields.first_token, Signal.OUTPUT_TOKEN: self.fields.tokens}
        return bool(told.get(of, of is Signal.REQUESTS))

    @property
    def said(self) -> str:
        named = self.format if self.format in NAMED else "envoy" if is_envoy(self.format) else "nginx"
        return f"{named} log {self.path}"


@dataclass(frozen=True)
class Format:
    """nginx, envoy, json, or a template that is read already."""

    expected: str = "nginx, envoy, json, a log_format of nginx or a format string of Envoy"

    def read(self, node: Node, report: Report, what: str) -> str:
        text = Text(self.expected, most=4000).read(node, report, what)
        try:
            parts = parts_of(text)
        except Unreadable as error:
            place = node.at(error.at) if isinstance(node, Scalar) else node.place
            raise report.spoil(place, "bad-log-format", f"{what}: {error}") from None
        if text != JSON and not any(each.variable for each in parts):
            hint = nearest(text, list(NAMED))
            message = f"{what}: {quote(text)} has no variable; expected {self.expected}{hint}"
            raise report.spoil(node.place, "bad-log-format", message)
        return text

    def schema(self) -> Schema:
        return {"type": "string", "minLength": 1, "maxLength": 4000, "examples": list(NAMED)}


_NAME = Text("the name of a variable or field")


def _name(_: str) -> Shape[str]:
    return _NAME


PATH = Field("path", FilePath(needed=False), "The access log. It need not be there yet.", required=True)
FORMAT = Field(
    "format",
    Format(),
    "How a line is written: `nginx` (combined, then `$request_time`), `envoy` (its default), `json` (one object a "
    "line, with `fields`), or the `log_format` of nginx or the format string of Envoy itself.",
    required=True,
)
ATTRIBUTES = Field(
    "attributes",
    MapOf(ATTRIBUTE, _name, "attributes", most=20),
    "What else is known of each request, for `where`, `exclude` and `match`: names, and the variable or field "
    "of each.",
    default="method, path, upstream and flags, where the format has them",
)
MATCH = Field(
    "match",
    WhereShape(),
    "Only lines with such attributes are requests of this contract, such as {path: /predict}.",
    default="every line",
)
FAILS = Field(
    "failed",
    STATUS.shape,
    "Answers with such a status are failures: 5xx, 429, 500-599.",
    default="5xx",
)
FROM = Field("from", Choice(Begin), "Where to begin in a file that is there already.", default="end")


def _log(row: Row) -> Traffic:
    format, attributes = row.need(FORMAT), {name: bare(each) for name, each in row.get(ATTRIBUTES, {}).items()}
    fields = fields_of(row, format, row.place_of(FORMAT))
    _check_attributes(row, format, attributes)
    return Log(
        "log",
        row.need(PATH),
        format,
        fields,
        tuple(attributes.items()),
        row.get(MATCH, ()),
        row.get(FAILS, FAILED),
        row.get(FROM, Begin.END),
    )


def _check_attributes(row: Row, format: str, attributes: Mapping[str, str]) -> None:
    """Report what no line tells."""
    present = {each.text for each in parts_of(format) if each.variable}
    for name in attributes.values():
        if format != JSON and name not in present:
            message = (
                f"{row.what}.attributes: the format does not have {quote(name)}; expected one of its variables"
            )
            row.report.error(row.place_of(ATTRIBUTES), "bad-log-format", message)
    known = sorted({*BUILT_IN, *attributes})
    for wanted in row.get(MATCH, ()):
        if wanted.attribute not in known:
            hint = nearest(wanted.attribute, known) or f"; expected {one_of(known)}"
            message = f"{row.what}.match: no line has the attribute {quote(wanted.attribute)}{hint}"
            row.report.error(row.place_of(MATCH), "unknown-attribute", message)


LOG_TABLE = Table("log", "Follow an access log.", (PATH, FORMAT, FIELDS, ATTRIBUTES, MATCH, FAILS, FROM), _log)
LOG: Field[Traffic] = Field("log", LOG_TABLE, "Follow an access log.")


def written(one: Log) -> Terms:
    fields = {name: str(value) for name, value in asdict(one.fields).items() if value}
    return given(
        path=one.path,
        format=one.format,
        fields=fields,
        attributes=dict(one.attributes),
        match={each.attribute: list(each.any_of) for each in one.match},
        failed=[f"{low}-{high}" for low, high in one.failed],
        **{"from": str(one.begin)},
    )
