"""An endpoint that is ready to be probed: where, over what, which bytes, and what a good answer is.

Guarantees: a secret's value is in the request's bytes alone and is taken out of every text that leaves here. A
request is made when it is about to leave, so each may differ from the one before. Sends nothing; knows no
particular kind of probe.
"""

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from keeptime.contract.probed import Endpoint, SecretRef
from keeptime.errors import ProbeError, SecretError
from keeptime.observe import traceparent
from keeptime.observe.asked import Asked
from keeptime.observe.attributes import Declared
from keeptime.observe.expect import Bad, Checks
from keeptime.observe.kernel import Address, address_of
from keeptime.observe.tokens import TokenCount
from keeptime.redaction import Redactor

_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_OURS = frozenset({"connection", "content-length", "transfer-encoding", "expect"})
"""Header fields that frame the message: keeptime writes them itself."""

Resolve = Callable[[SecretRef], str]


class Asking(Protocol):
    """The requests of one probe, one after the other. Both methods are called in the prober's thread."""

    def ask(self, target: "Target") -> Asked:
        """The next request, and what reads its answer."""
        ...

    def refusal(self, now: int, in_flight: int) -> str:
        """Why none may be sent at this instant of the monotonic clock, so many being under way; "" if one may."""
        ...


@dataclass(slots=True)
class Target:
    """`literal`: the address where the host is one, else None and `host` must be looked up."""

    endpoint: Endpoint
    host: str
    port: int
    literal: Address | None
    context: ssl.SSLContext | None
    server_name: str
    checks: Checks
    close: bool
    resolve: Resolve
    attributes: Declared
    tokens: TokenCount
    asking: Asking
    request: bytes = field(default=b"", repr=False)
    secret: bool = False
    _head: list[str] = field(default_factory=list, repr=False)
    _values: tuple[str, ...] = field(default=(), repr=False)
    _secrets: dict[str, str] = field(default_factory=dict, repr=False)
    _redactor: Redactor = field(default_factory=Redactor, repr=False)

    def ask(self) -> Asked:
        """The next request, and what reads its answer."""
        return self.asking.ask(self)

    def refusal(self, now: int, in_flight: int) -> str:
        """Why none may be sent at this instant of the monotonic clock, so many being under way; "" if one may."""
        return self.asking.refusal(now, in_flight)

    def look(self, status: int, fields: Mapping[bytes, bytes], body: bytes) -> tuple[Bad | None, int | None]:
        """What is wrong with a whole answer, and how many tokens it says it gave, where that is asked."""
        wrong = self.checks.wrong(status, body)
        return (wrong, None) if wrong is not None else self.tokens.of(fields, body)

    @property
    def method(self) -> str:
        return self.endpoint.method

    @property
    def max_body(self) -> int:
        return self.endpoint.expect.max_body

    @property
    def authority(self) -> str:
        """Host and port, as a request names them."""
        return _authority(self)

    def fields(self) -> list[tuple[str, str]]:
        """The contract's own header fields, with their secrets."""
        return [(name, self._secrets.get(name, str(value))) for name, value in self.endpoint.headers.items()]

    def refresh(self) -> None:
        """Resolve secrets anew. Raises SecretError; the request is then the last one that could be made."""
        values = {
            name: self.resolve(value)
            for name, value in self.endpoint.headers.items()
            if isinstance(value, SecretRef)
        }
        for name, value in values.items():
            if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
                raise SecretError(f"{self.endpoint.headers[name]}: the value for {name} holds a control character")
        if tuple(values.values()) != self._values:
            self._values, self._redactor = tuple(values.values()), Redactor()
            for value in self._values:
                self._redactor.remember(value)
        self.secret, self._secrets = bool(values), values
        self._head = self._lines(values)
        self.request = self.message(self.endpoint.body)

    def message(self, body: bytes | None) -> bytes:
        """The whole request with this body."""
        lines = self._head
        if body is not None or self.method in _BODY_METHODS:
            lines = [*lines, f"Content-Length: {len(body or b'')}"]
        lines = [*lines, f"Connection: {'close' if self.close else 'keep-alive'}", "", ""]
        return "\r\n".join(lines).encode("utf-8") + (body or b"")

    def redact(self, text: str) -> str:
        """This text, which may be cut, without any secret's value in it."""
        return self._redactor.redact_cut(text)

    def _lines(self, secrets: dict[str, str]) -> list[str]:
        parts = urlsplit(self.endpoint.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        given = {name.lower() for name in self.endpoint.headers}
        lines = [f"{self.method} {path} HTTP/1.1"]
        for name, value in (("Host", _authority(self)), ("User-Agent", "keeptime"), ("Accept", "*/*")):
            if name.lower() not in given:
                lines.append(f"{name}: {value}")
        if "accept-encoding" not in given:
            lines.append("Accept-Encoding: identity")
        if traceparent.NAME not in given:
            lines.append(traceparent.LINE)
        for name, header in self.endpoint.headers.items():
            if name.lower() not in _OURS:
                lines.append(f"{name}: {secrets.get(name, header)}")
        return lines


def literal(host: str, port: int) -> Address | None:
    """The address that `host` is, or None if it is a name."""
    name, _, zone = host.partition("%")
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return address_of(family, name, port, _scope(zone))
        except OSError:
            continue
    return None


def _scope(zone: str) -> int:
    zone = zone.removeprefix("25")  # "%25" is how a URL writes "%" (RFC 6874)
    if not zone:
        return 0
    try:
        return socket.if_nametoindex(zone)
    except OSError:
        raise ProbeError(f"there is no network interface {zone!r} here") from None


def _authority(target: Target) -> str:
    host = target.host.partition("%")[0]
    usual = 443 if target.context is not None else 80
    name = f"[{host}]" if ":" in host else host
    return name if target.port == usual else f"{name}:{target.port}"
