"""What keeptime's own probes ask for, as frozen values: an endpoint, what a good answer is, and how often.

Guarantees: a value of these types is legal; no secret is in one, only where it is found.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from keeptime.model.sample import Connection


@dataclass(frozen=True, slots=True)
class SecretRef:
    """`env:NAME` or `file:PATH`: where a secret's value is found when it is needed. Never the value."""

    source: Literal["env", "file"]
    name: str

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"


@dataclass(frozen=True, slots=True)
class Expect:
    """What a good answer looks like. `status`: inclusive ranges. `json`: (JSON path, expected value) pairs.

    A JSON path with the expected value `...` (Ellipsis) must merely be there.
    """

    status: tuple[tuple[int, int], ...] = ((200, 299),)
    regex: str | None = None
    json: tuple[tuple[str, object], ...] = ()
    max_body: int = 1_048_576


@dataclass(frozen=True, slots=True)
class TlsTerms:
    """Certificates by file path; `None` means the system's roots, or no client certificate."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    server_name: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The thing probed. `url` is http:// or https:// without userinfo; `body` is sent as it is. `tokens`: where an
    answer says how many it gave, `header:NAME` or `json:PATH`; "" where that is not asked.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str | SecretRef] = field(default_factory=dict)
    body: bytes | None = None
    expect: Expect = field(default_factory=Expect)
    tls: TlsTerms = field(default_factory=TlsTerms)
    tokens: str = ""


@dataclass(frozen=True, slots=True)
class KindTerms:
    """What the kind of a probe asks beyond what every probe has; of kind http, nothing."""

    def said(self, request: str, url: str) -> str:  # noqa: ARG002 - other kinds say it otherwise
        """What is asked, in words; `request`: method and URL of HTTP, `url`: without a query."""
        return request

    def named(self, _model: str) -> "KindTerms":
        """The same where the contract is about this model."""
        return self


class Kind(StrEnum):
    """What a probe sends, and how its answer is read."""

    HTTP = "http"
    OPENAI = "openai"
    SSE = "sse"
    NDJSON = "ndjson"
    GRPC = "grpc"
    OIP = "oip"
    TCP = "tcp"


STREAMING = frozenset({Kind.OPENAI, Kind.SSE, Kind.NDJSON})
"""Kinds whose answers come in pieces."""

FRESH_ONLY = frozenset({Kind.GRPC, Kind.TCP})
"""Kinds whose every request opens a connection of its own."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Send a request every so many seconds. `max_in_flight`: above it a due probe is skipped, and counted so.

    `attributes`: names and where their values are: a constant, `header:NAME` or `json:PATH`.
    """

    every: float
    timeout: float
    connection: Connection = Connection.FRESH
    max_in_flight: int = 64
    attributes: tuple[tuple[str, str], ...] = ()
    kind: Kind = Kind.HTTP
    terms: KindTerms = field(default_factory=KindTerms)
