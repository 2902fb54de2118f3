"""One POST to a daemon, with a token that is kept elsewhere.

Guarantees: the token goes to the host of the URL alone: redirects are not followed and proxies of the environment
are not used; it is in no text that leaves here. An answer is read up to LONGEST bytes. Knows nothing of what is
posted.
"""

import gzip
import http.client
import ipaddress
import json
import logging
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

LONGEST = 1 << 20
"""Bytes of an answer."""
_PACKED = 8192
"""Bytes from which on a body is packed."""
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+")
_LOG = logging.getLogger("keeptime.middleware")


class Unanswered(Exception):
    """Nobody took it; the text says why, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body`: its JSON, None where it is none. `retry_after`: seconds, where the daemon said so."""

    status: int
    body: object
    retry_after: float | None

    @property
    def said(self) -> str:
        """What it says was wrong, for a log."""
        told = self.body.get("error", self.body) if isinstance(self.body, dict) else ""
        return str(told)[:300]


class Where:
    """A URL and where its token is found. Raises ValueError on a URL or a reference that is none."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = _parsed(url)
        if token is not None and _REFERENCE.fullmatch(token) is None:
            raise ValueError("token: a literal; expected env:NAME or file:PATH, which say where it is found")
        self._token = token
        if token is not None and self._url.scheme == "http" and not _loopback(self._url.hostname or ""):
            _LOG.warning("the token goes to %s without TLS: whoever is between can read it", self._url.hostname)

    def post(self, body: bytes, headers: Mapping[str, str], patience: float) -> Answer:
        """The answer, whatever its status. Raises Unanswered."""
        path = self._url.path + (f"?{self._url.query}" if self._url.query else "")
        credentials = self._credentials()
        connection = self._connection(patience)
        try:
            connection.request("POST", path, body, {**headers, **credentials, "User-Agent": "keeptime-middleware"})
            answer = connection.getresponse()
            return Answer(answer.status, _json(answer.read(LONGEST)), _seconds(answer.getheader("Retry-After")))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unanswered(f"{self._url.hostname}: {type(error).__name__}: {error}"[:300]) from None
        finally:
            connection.close()

    def _connection(self, patience: float) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "", self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=patience)
        return http.client.HTTPSConnection(host, port, timeout=patience, context=ssl.create_default_context())

    def _credentials(self) -> dict[str, str]:
        if self._token is None:
            return {}
        source, _, name = self._token.partition(":")
        try:
            value = os.environ.get(name, "") if source == "env" else Path(name).read_text("utf-8")
        except (OSError, ValueError) as error:
            raise Unanswered(f"the token's file cannot be read: {type(error).__name__}") from None
        value = value.strip()
        if not value:
            raise Unanswered(f"there is no token at {self._token}")
        if not (value.isascii() and value.isprintable()):
            raise Unanswered(f"what is at {self._token} is no token: expected one line of ASCII")
        return {"Authorization": f"Bearer {value}"}


def packed(told: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    """A body and its headers."""
    body = json.dumps(told, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json"}
    if len(body) < _PACKED:
        return body, headers
    return gzip.compress(body, 5), {**headers, "Content-Encoding": "gzip"}


def _parsed(url: str) -> SplitResult:
    expected = "expected http://HOST:PORT/api/v1/push/CONTRACT, or https"
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError:
        raise ValueError(f"the URL to push to cannot be read; {expected}") from None
    if found.scheme not in ("http", "https") or not found.hostname or port == 0 or not found.path.strip("/"):
        raise ValueError(f"the URL to push to has no scheme, host or path; {expected}")
    if found.username is not None or found.password is not None or not url.isascii() or not url.isprintable():
        raise ValueError(f"the URL to push to holds credentials or characters that it may not; {expected}")
    return found


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"[0-9]{1,6}", text) else None
