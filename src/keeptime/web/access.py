"""Who may do what on the one port: one row for each method and path, with the scope that it takes.

Guarantees: what has no row is not served: an unknown path takes `read` and then is a 404, and a method without a
row is a 405. Knows nothing of tokens and of what a route answers. A new route adds its row here.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from keeptime.model.token import Scope

JSON, LINES, PROTOBUF = "application/json", "application/x-ndjson", "application/x-protobuf"
"""Forms of a body. None is one that a page can post to another origin without asking first with OPTIONS (Fetch
standard, CORS-preflight), which is not served."""

FORM = "application/x-www-form-urlencoded"
"""What a page can post to any origin without asking. Taken by rows with `form` alone."""

MOST_SENT = 4 * 1024 * 1024
"""Bytes of observations at once: what gRPC takes of a message unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Access:
    """`path` as the routes write it: `{name}` stands for one segment. `scope`: None where nobody is asked who they
    are. `changes`: it is posted in one of the forms that are `taken`, and from no page of another origin. `most`:
    bytes of a body, unpacked; `packed`: it may come as gzip. `noted`: that somebody with a token was let in for it
    is a row of the ledger. `rpc`: refusals come as a google.rpc.Status, in the form that was posted. `link`: it is
    shown, too, to who has the link to it, with a token of the consumer it names. `embedded`: pages of others may
    show it. `form`: it shows forms, or takes one: let in only with proof that a page of our own posts it, and then
    with a token typed as a password, too (docs/decisions/0013-forms.md)."""

    method: str
    path: str
    scope: Scope | None
    changes: bool = False
    most: int = 65_536
    taken: tuple[str, ...] = (JSON,)
    packed: bool = False
    noted: bool = True
    rpc: bool = False
    link: bool = False
    embedded: bool = False
    form: bool = False

    def matches(self, path: str) -> bool:
        return _pattern(self.path).fullmatch(path) is not None


def _reads(path: str) -> Access:
    return Access("GET", path, Scope.READ)


def _changes(method: str, path: str, scope: Scope) -> Access:
    return Access(method, path, scope, changes=True)


def _ingests(path: str, *taken: str, rpc: bool = False) -> Access:
    """Observations come all the time: who sends them is in no row of the ledger, only who was refused."""
    return Access("POST", path, Scope.INGEST, True, MOST_SENT, taken, packed=True, noted=False, rpc=rpc)


def _form(path: str, scope: Scope) -> Access:
    """Posted by a page of our own."""
    return Access("POST", path, scope, changes=True, taken=(FORM,), form=True)


ACCESS = (
    _reads("/"),
    _reads("/contracts/{contract}"),
    _reads("/contracts/{contract}/{objective}"),
    _reads("/incidents"),
    Access("GET", "/incidents/{id}", Scope.READ, form=True),
    _form("/incidents/{id}/ack", Scope.SILENCE),
    _form("/incidents/{id}/silence", Scope.SILENCE),
    _form("/incidents/{id}/silence/end", Scope.SILENCE),
    _reads("/deliveries"),
    _reads("/ledger"),
    Access("GET", "/static/{name}", None),
    Access("GET", "/status/{name}", Scope.READ, link=True),
    Access("GET", "/status/{name}/feed.atom", Scope.READ, link=True),
    Access("GET", "/status/{name}/badge.svg", Scope.READ, link=True, embedded=True),
    _reads("/metrics"),
    _reads("/probe"),
    _reads("/api/v1/contracts"),
    _reads("/api/v1/periods"),
    _reads("/api/v1/report"),
    _reads("/api/v1/exclusions"),
    _changes("POST", "/api/v1/exclusions", Scope.ADMIN),
    _changes("POST", "/api/v1/exclusions/end", Scope.ADMIN),
    _reads("/api/v1/series"),
    _reads("/api/v1/latency"),
    _reads("/api/v1/phases"),
    _reads("/api/v1/ledger"),
    _reads("/api/v1/ledger/head"),
    _reads("/api/v1/outbox"),
    _changes("POST", "/api/v1/outbox/replay", Scope.ADMIN),
    _changes("POST", "/api/v1/outbox/discard", Scope.ADMIN),
    _changes("POST", "/api/v1/reload", Scope.ADMIN),
    _reads("/api/v1/incidents"),
    _reads("/api/v1/incidents/{id}"),
    _reads("/api/v1/incidents/{id}/traces"),
    _reads("/incidents/{id}/traces"),
    _reads("/api/v1/exemplars"),
    _ingests("/api/v1/exemplars/{contract}", JSON),
    _reads("/api/v1/incidents/{id}/explanation"),
    _reads("/api/v1/live"),
    _reads("/api/v1/events"),
    _changes("POST", "/api/v1/events", Scope.INGEST),
    _reads("/api/v1/openapi.json"),
    _reads("/api/v1/silences"),
    _changes("POST", "/api/v1/silences", Scope.SILENCE),
    _changes("POST", "/api/v1/silences/end", Scope.SILENCE),
    _reads("/api/v1/acks"),
    _changes("POST", "/api/v1/acks", Scope.SILENCE),
    _ingests("/api/v1/push/{contract}", JSON, LINES),
    _reads("/api/v1/traces"),
    _ingests("/v1/metrics", PROTOBUF, JSON, rpc=True),
    _ingests("/v1/traces", PROTOBUF, JSON, rpc=True),
    Access("GET", "/healthz", None),
)
"""Every route. GET stands for HEAD, too."""

UNKNOWN = (Access("GET", "", Scope.READ),)
"""What a path without a row takes: whoever may read is told that there is nothing."""


def rows_of(path: str) -> tuple[Access, ...]:
    """The rows of this path, one for each method."""
    return tuple(row for row in ACCESS if row.matches(path)) or UNKNOWN


def access(method: str, path: str) -> Access | None:
    """The row that decides about this request; None where the method is not served there."""
    wanted = "GET" if method == "HEAD" else method
    return next((row for row in rows_of(path) if row.method == wanted), None)


def allowed(path: str) -> tuple[str, ...]:
    """The methods that this path takes, as `Allow` lists them."""
    methods = [row.method for row in rows_of(path)]
    return tuple(named for each in methods for named in ((each, "HEAD") if each == "GET" else (each,)))


@lru_cache(maxsize=256)
def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{\w+\}", path)
    return re.compile("[^/]+".join(map(re.escape, parts)))
