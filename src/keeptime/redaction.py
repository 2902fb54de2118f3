"""Secrets are taken out of every text that leaves keeptime, by their values.

Guarantees: what was remembered is in no text that `redact` gives back, nor the parts of it that are secret by
themselves (a URL's password, query and long path segments; a header's credentials), nor either of them written for
URLs, JSON, HTML, Python or in base64. Where nothing was remembered nothing is done. Values are held in memory
alone. May be called from any thread.
"""

import base64
import binascii
import html
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

MASK = "***"
SHORTEST = 3
"""Characters of a value: shorter ones are in every text, and hide nothing."""
SHORTEST_PART = 6
"""The same for parts of a value, and for what is written otherwise."""
MOST = 4096
"""Values remembered; the oldest are forgotten first (a file's secret that is rotated for years)."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,19} +(\S.*)")
"""Of a header's credentials, as in "Bearer …" (RFC 9110 §11.4)."""
_TOKEN_LIKE = re.compile(r"(?=.{12})(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9._~-]+|[A-Za-z0-9._~-]{24,}")
"""A segment of a path that is no word of a language."""


HEAD = SHORTEST_PART
"""Characters by which writings are found in a text: so the time that takes does not grow with their number."""


@dataclass(frozen=True, slots=True)
class _Writings:
    """By their first HEAD characters, and those that are shorter."""

    by_head: Mapping[str, tuple[str, ...]]
    short: tuple[str, ...]

    @classmethod
    def of(cls, values: Iterable[str]) -> "_Writings":
        every = {writing for value in values for writing in writings(value)}
        by_head: dict[str, tuple[str, ...]] = {}
        for writing in every:
            if len(writing) >= HEAD:
                by_head[writing[:HEAD]] = (*by_head.get(writing[:HEAD], ()), writing)
        return cls(by_head, tuple(each for each in every if len(each) < HEAD))

    def begun_in(self, text: str) -> list[str]:
        """Those of which at least the head is in this text, longest first."""
        if not self.by_head and not self.short:
            return []
        heads = {text[at : at + HEAD] for at in range(len(text) - HEAD + 1)} & self.by_head.keys()
        found = [writing for head in heads for writing in self.by_head[head]]
        return sorted([*found, *self.short], key=len, reverse=True)


class Redactor:
    """What was remembered, and all its writings."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}
        self._writings: _Writings | None = _Writings({}, ())
        self._lock = threading.Lock()

    def remember(self, value: str) -> None:
        """A secret. One that is known costs a look into a dictionary."""
        if value in self._known or len(value.strip()) < SHORTEST:
            return
        with self._lock:
            self._known[value] = None
            if len(self._known) > MOST:
                del self._known[next(iter(self._known))]
            self._writings = None

    def redact(self, text: str) -> str:
        """This text without them."""
        for writing in self._all().begun_in(text):
            if writing in text:
                text = text.replace(writing, MASK)
        return text

    def redact_cut(self, text: str) -> str:
        """The same for a text that was shortened: what begins like a secret is taken out as far as it goes."""
        text = self.redact(text)
        for writing in self._all().begun_in(text):
            head = writing[:8]
            at = text.find(head) if len(writing) >= 12 else -1
            if at >= 0:
                same = next((n for n in range(len(writing), 8, -1) if text.startswith(writing[:n], at)), 8)
                text = text[:at] + MASK + text[at + same :]
        return text

    def _all(self) -> _Writings:
        found = self._writings
        if found is None:
            with self._lock:
                found = self._writings = _Writings.of(self._known)
        return found


_REDACTOR = Redactor()
"""Of this process: whoever resolves a secret remembers it here, whoever gives a text out asks here."""
remember = _REDACTOR.remember
redact = _REDACTOR.redact


def writings(value: str) -> Iterator[str]:
    """Every text that gives this secret away."""
    yield value.strip()
    for part in (value.strip(), *_parts(value.strip())):
        if len(part) >= SHORTEST_PART:
            yield from (part, quote(part), quote(part, safe=""), quote_plus(part), html.escape(part))
            yield from (json.dumps(part)[1:-1], json.dumps(part, ensure_ascii=False)[1:-1], repr(part)[1:-1])
            yield from _in_base64(part.encode())
            yield part.encode().hex()


def _parts(value: str) -> Iterator[str]:
    """What is secret by itself within a secret."""
    yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= 16)
    yield value.removeprefix("whsec_").removeprefix("whsk_")
    credentials = _SCHEME.fullmatch(value)
    if credentials is not None:
        yield credentials[1]
        yield from _of_basic(credentials[1])
    if "://" in value:
        yield from _of_url(value)


def _of_basic(text: str) -> Iterator[str]:
    """User and password of Basic credentials (RFC 7617)."""
    try:
        told = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return
    if told.isprintable():
        yield told
        yield told.partition(":")[2]


def _of_url(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    userinfo = parts.netloc.rpartition("@")[0]
    for each in (userinfo, userinfo.rpartition(":")[2], parts.query):  # a user beside a password is no secret
        yield from (each, unquote(each))
    yield from (text for pair in parse_qsl(parts.query, keep_blank_values=True) for text in pair[1:])
    yield from (each for each in parts.path.split("/") if _TOKEN_LIKE.fullmatch(each))


def _in_base64(data: bytes) -> Iterator[str]:
    """In base64, wherever in a longer text it begins: what does not depend on its neighbours."""
    for ahead in range(3):
        first = -(-ahead * 8 // 6)
        text = base64.b64encode(bytes(ahead) + data).decode().rstrip("=")
        whole = (ahead + len(data)) * 8 // 6
        inner = text[first:whole]
        if len(inner) >= SHORTEST_PART:
            yield from (inner, inner.replace("+", "-").replace("/", "_"))
