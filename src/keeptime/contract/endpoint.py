"""The fields of `endpoint` and of `observe`: what is asked, how often, and what a good answer is.

Guarantees: no header holds a literal secret; a regex and a JSON path are known to be valid.
"""

import json as jsonlib
import re
from dataclasses import dataclass
from enum import StrEnum

import jsonpath

from keeptime.contract.kinds import (
    Checked,
    Choice,
    Duration,
    FilePath,
    LongText,
    Size,
    Text,
    Whole,
    parse_ref,
    text_of,
)
from keeptime.contract.nodes import Broken, Listing, Mapped, Node, Plain, Scalar, value_of
from keeptime.contract.report import Report, quote
from keeptime.contract.shapes import Field, Forms, ListOf, MapOf, Row, Schema, Shape, Table, wrong_type
from keeptime.contract.terms import Endpoint, Expect, Probe, SecretRef, TlsTerms
from keeptime.contract.urls import SECRET_WORDS, Url
from keeptime.model.sample import Connection

SENSITIVE = frozenset({"authorization", "proxy-authorization", "cookie", "x-auth", "x-api-key", "apikey"})
OWN_HEADERS = frozenset({"content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer"})


class Method(StrEnum):
    GET = "GET"
    HEAD = "HEAD"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
    OPTIONS = "OPTIONS"


@dataclass(frozen=True)
class HeaderName:
    """A header's name: an RFC 9110 token that keeptime does not set itself."""

    expected: str = "the name of a header such as X-Model"

    def read(self, node: Node, report: Report, what: str) -> str:
        scalar = text_of(node, report, what, self.expected)
        if re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", scalar.text) is None:
            message = f"{what}: {quote(scalar.text)} is no header name; expected letters, digits and '-'"
            raise report.spoil(scalar.place, "bad-header", message)
        if scalar.text.lower() in OWN_HEADERS:
            message = f"{what}: {quote(scalar.text)} is set by keeptime itself; remove it"
            raise report.spoil(scalar.place, "bad-header", message)
        return scalar.text

    def schema(self) -> Schema:
        return {"pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$"}


@dataclass(frozen=True)
class HeaderValue:
    """A literal, or a reference; where `name` is that of a secret, a reference only."""

    name: str
    expected: str = "a text, env:NAME or file:PATH"

    def read(self, node: Node, report: Report, what: str) -> str | SecretRef:
        scalar = text_of(node, report, what, self.expected)
        ref = parse_ref(scalar.text, scalar.place, report, what)
        if ref is not None:
            return ref
        if self.name.lower() in SENSITIVE or SECRET_WORDS.search(self.name):
            message = f"{what}: a literal secret; expected env:NAME or file:PATH that holds the whole value"
            raise report.spoil(scalar.place, "literal-secret", message)
        if re.fullmatch(r"[\x20-\x7e\t]{0,4000}", scalar.text) is None or scalar.text != scalar.text.strip():
            message = f"{what}: {quote(scalar.text)} cannot be sent; expected printable ASCII on one line"
            raise report.spoil(scalar.place, "bad-header", message)
        return scalar.text

    def schema(self) -> Schema:
        return {"type": ["string", "number", "boolean"]}


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
class JsonBytes:
    """A JSON value as the bytes that are sent: UTF-8, no blanks."""

    expected: str = "a JSON value"

    def read(self, node: Node, report: Report, what: str) -> bytes:
        value = Json().read(node, report, what)
        return jsonlib.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def schema(self) -> Schema:
        return {}


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
    "A regular expression (Python's) that must be found somewhere in the answer's body.",
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

CA = Field("ca", FilePath(), "Certificates (PEM) that the endpoint's own is checked with.", default="the system's")
CERT = Field("cert", FilePath(), "The client certificate (PEM); may hold its key too.")
KEY = Field("key", FilePath(), "The client certificate's key (PEM).")
SERVER_NAME = Field(
    "server_name",
    Text("a host name", most=253),
    "The name that the endpoint's certificate must carry.",
    default="the URL's host",
)


def _tls(row: Row) -> TlsTerms:
    terms = TlsTerms(row.get(CA, None), row.get(CERT, None), row.get(KEY, None), row.get(SERVER_NAME, None))
    if terms.key is not None and terms.cert is None:
        message = f"{row.what}: a key without a certificate; add 'cert'"
        raise row.report.spoil(row.place_of(KEY), "missing-key", message)
    return terms


TLS_TABLE = Table("tls", "Certificates, for https.", (CA, CERT, KEY, SERVER_NAME), _tls)

URL = Field("url", Url(), "Where requests go: http or https, without user name or password.", required=True)
METHOD = Field("method", Choice(Method, "bad-method"), "The HTTP method.", default="POST with a body, else GET")
HEADERS = Field(
    "headers",
    MapOf(HeaderName(), HeaderValue, "headers", most=100, fold=True),
    "Headers to send. A value is a text, or says where a secret is found: env:NAME or "
    "file:PATH. Headers that carry secrets (Authorization, Cookie, X-Api-Key and the like) take references only.",
)
JSON_BODY = Field("json", JsonBytes(), "A JSON value to send, with its content type.")
BODY = Field("body", LongText(), "A text to send as it is (UTF-8), instead of `json`.")
EXPECT = Field("expect", EXPECT_TABLE, "What a good answer looks like.", default="any 2xx status, at most 1 MiB")
TLS = Field("tls", TLS_TABLE, "Certificates, for https.", default="the system's roots")


def _endpoint(row: Row) -> Endpoint:
    json_body, body = row.find(JSON_BODY), row.find(BODY)
    if json_body is not None and body is not None:
        message = f"{row.what}: both 'json' and 'body' are given; a request has one body"
        raise row.report.spoil(row.place_of(BODY), "two-bodies", message)
    _check_tls(row)
    headers: dict[str, str | SecretRef] = dict(row.get(HEADERS, {}))
    if json_body is not None and "content-type" not in map(str.lower, headers):
        headers["Content-Type"] = "application/json"
    content = json_body.value if json_body else body.value.encode() if body else None
    usual = Method.GET if content is None else Method.POST
    return Endpoint(
        url=row.need(URL),
        method=str(row.get(METHOD, usual)),
        headers=headers,
        body=content,
        expect=row.get(EXPECT, Expect()),
        tls=row.get(TLS, TlsTerms()),
    )


def _check_tls(row: Row) -> None:
    if row.find(TLS) is not None and row.need(URL).startswith("http:"):
        message = f"{row.what}: 'tls' is given but the URL begins with http://; expected https://"
        raise row.report.spoil(row.place_of(TLS), "tls-without-https", message)


ENDPOINT_TABLE = Table(
    "endpoint",
    "The thing probed.",
    (URL, METHOD, HEADERS, JSON_BODY, BODY, EXPECT, TLS),
    _endpoint,
)

EVERY = Field(
    "every",
    Duration(0.001, 86_400, "10s"),
    "Send one probe per this time, on schedule, slow or not.",
    required=True,
)
TIMEOUT = Field(
    "timeout",
    Duration(0.001, 3600, "5s"),
    "After this a request is given up and is bad. At least the largest threshold of the contract; "
    "may be longer than `every`.",
    default="twice the largest threshold, at least 5s",
)
CONNECTION = Field(
    "connection",
    Choice(Connection),
    "A new connection for each probe (fresh), or the last one again (reuse).",
    default="fresh",
)
MAX_IN_FLIGHT = Field(
    "max_in_flight",
    Whole(1, 10_000),
    "With so many probes under way the next due one is not sent but counted as skipped.",
    default="64",
)


@dataclass(frozen=True, slots=True)
class ProbeDraft:
    """A probe whose timeout may still be unsaid."""

    every: float
    timeout: float | None
    connection: Connection
    max_in_flight: int

    def finished(self, usual_timeout: float) -> Probe:
        timeout = usual_timeout if self.timeout is None else self.timeout
        return Probe(self.every, timeout, self.connection, self.max_in_flight)


def _probe(row: Row) -> ProbeDraft:
    return ProbeDraft(
        row.need(EVERY),
        row.get(TIMEOUT, None),
        row.get(CONNECTION, Connection.FRESH),
        row.get(MAX_IN_FLIGHT, 64),
    )


PROBE_TABLE = Table("probe", "Send a request at fixed times.", (EVERY, TIMEOUT, CONNECTION, MAX_IN_FLIGHT), _probe)


@dataclass(frozen=True)
class ShortProbe:
    """`probe: 10s`."""

    expected: str = "a duration such as 10s, or a mapping with every"

    def read(self, node: Node, report: Report, what: str) -> ProbeDraft:
        return ProbeDraft(EVERY.shape.read(node, report, what), None, Connection.FRESH, 64)

    def schema(self) -> Schema:
        return EVERY.shape.schema()


PROBE = Field(
    "probe",
    Forms(ShortProbe(), mapping=PROBE_TABLE),
    "Send requests of keeptime's own: a mapping, or only how often (`probe: 10s`).",
    required=True,
)
LATER_OBSERVERS = ("scrape", "otlp", "push", "log", "prometheus")


@dataclass(frozen=True)
class Observer:
    """One entry of `observe`: so far a probe."""

    expected: str = "an entry such as 'probe: 10s'"
    table: Table[ProbeDraft] = Table(  # noqa: RUF009
        "observe", "One way to observe requests.", (PROBE,), lambda row: row.need(PROBE)
    )

    def read(self, node: Node, report: Report, what: str) -> ProbeDraft:
        kinds = [entry.key for entry in node.entries] if isinstance(node, Mapped) else []
        for kind in kinds:
            if kind.text in LATER_OBSERVERS:
                message = f"{what}: {quote(kind.text)} is not built yet; so far only 'probe' observes requests"
                raise report.spoil(kind.place, "not-built", message)
        return self.table.read(node, report, what)

    def tables(self) -> tuple[Table[object], ...]:
        return (self.table,)

    def schema(self) -> Schema:
        return self.table.schema()
