"""The fields of `endpoint`: what is asked.

Guarantees: no header holds a literal secret.
"""

import json as jsonlib
import re
from dataclasses import dataclass
from enum import StrEnum

from keeptime.contract.expectations import EXPECT_TABLE, Json
from keeptime.contract.kinds import Choice, LongText, Text, text_of
from keeptime.contract.lists import MapOf
from keeptime.contract.nodes import Node
from keeptime.contract.probed import Endpoint, Expect, SecretRef, TlsTerms
from keeptime.contract.references import FilePath, parse_ref
from keeptime.contract.report import Report, quote
from keeptime.contract.shapes import Field, Row, Schema, Table
from keeptime.contract.tokens import TOKENS
from keeptime.contract.urls import SECRET_WORDS, Url

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
class JsonBytes:
    """A JSON value as the bytes that are sent: UTF-8, no blanks."""

    expected: str = "a JSON value"

    def read(self, node: Node, report: Report, what: str) -> bytes:
        value = Json().read(node, report, what)
        return jsonlib.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def schema(self) -> Schema:
        return {}


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

URL = Field(
    "url",
    Url(schemes=("http", "https", "tcp")),
    "Where requests go: http or https, without user name or password; for probes of kind tcp also tcp://HOST:PORT.",
    required=True,
)
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
    _check_tcp(row)
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
        tokens=row.get(TOKENS, ""),
    )


def _check_tls(row: Row) -> None:
    if row.find(TLS) is not None and row.need(URL).startswith("http:"):
        message = f"{row.what}: 'tls' is given but the URL begins with http://; expected https://"
        raise row.report.spoil(row.place_of(TLS), "tls-without-https", message)


def _check_tcp(row: Row) -> None:
    """A bare connection has no headers: of what can be asked and expected, `body` and `regex` alone are left."""
    if not row.need(URL).startswith("tcp:"):
        return
    for each in (METHOD, HEADERS, JSON_BODY, TOKENS):
        if row.find(each) is not None:
            message = f"{row.what}.{each.key}: a bare TCP connection has none; expected 'body' alone"
            raise row.report.spoil(row.place_of(each), "not-of-this-kind", message)
    expect = row.find(EXPECT)
    if expect is not None and (expect.value.json or expect.value.status != Expect().status):
        message = f"{row.what}.expect: a bare TCP connection has no status and no JSON; expected 'regex' alone"
        raise row.report.spoil(expect.place, "not-of-this-kind", message)


ENDPOINT_TABLE = Table(
    "endpoint",
    "The thing probed.",
    (URL, METHOD, HEADERS, JSON_BODY, BODY, EXPECT, TLS, TOKENS),
    _endpoint,
)
