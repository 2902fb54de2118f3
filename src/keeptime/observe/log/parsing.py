"""One line of an access log → what it says of a request, as text.

Guarantees: any bytes give a `Said` or the reason why they are no line; the time that takes grows with the length of
the line and no faster. Decides nothing about the request.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from keeptime.contract.traffic.log import Log
from keeptime.contract.traffic.log_format import JSON, Part, parts_of

MALFORMED = "malformed"
MOST_OF_A_VALUE = 200
"""Characters of an attribute that are kept."""

_DEEPEST = 8
_PLAIN = re.compile(
    r"(status|msec|pid|connection\w*|pipe|scheme|server_port|remote_addr|remote_port|server_addr|time_iso8601|request_time"
    r"|request_length|request_id|request_method|bytes_sent|body_bytes_sent|request_completion|server_protocol)"
    r"|[A-Z_]*(DURATION|BYTES\w*|RESPONSE_CODE|RESPONSE_FLAGS|PROTOCOL|UPSTREAM_HOST)|START_TIME.*",
    re.ASCII,
)
"""Variables whose values hold no blank."""

_LIST = r"[^\s,]+(?:(?:, | : )[^\s,]+)*"
"""nginx: the same of several upstreams."""


class Said(NamedTuple):
    """Texts; "" where the line does not say it. `attributes`: as they are declared, in that order."""

    latency: str
    status: str
    time: str
    method: str
    path: str
    upstream: str
    flags: str
    first_token: str
    tokens: str
    attributes: tuple[str, ...]


Parse = Callable[[bytes], Said | str]
"""What a line says, or why it says nothing."""


def parser(log: Log) -> Parse:
    """Reads lines of this log."""
    return _Json(log).parse if log.format == JSON else _Template(log).parse


class _Template:
    """A line of text, by the pattern that its template is."""

    def __init__(self, log: Log) -> None:
        parts = parts_of(log.format)
        self._pattern = re.compile(_pattern(parts) + "()", re.DOTALL)
        places = {each.text: number for number, each in enumerate((p for p in parts if p.variable), 1)}
        nothing = self._pattern.groups
        fields = log.fields
        upstream = next((each for each in ("upstream_addr", "UPSTREAM_HOST") if each in places), "")
        names = (fields.latency, fields.status, fields.time, fields.method, fields.path, upstream, fields.flags)
        streamed = (fields.first_token, fields.tokens)
        more = (name for _, name in log.attributes)
        self._places = tuple(places.get(name, nothing) for name in (*names, *streamed, *more))
        self._of_request = fields.method == "request", fields.path == "request"

    def parse(self, line: bytes) -> Said | str:
        found = self._pattern.fullmatch(line.decode("utf-8", "replace"))
        if found is None:
            return MALFORMED
        values = ["" if each == "-" else each for each in found.group(*self._places)]
        latency, status, time, method, path, upstream, flags, first, tokens, *more = values
        if self._of_request[0]:
            method = method.partition(" ")[0]
        if self._of_request[1]:
            path = path.partition(" ")[2].partition(" ")[0]
        return Said(latency, status, time, method, path, upstream, flags, first, tokens, tuple(more))


def _said(text: str) -> str:
    """Proxies write a dash for what is not there."""
    return "" if text == "-" else text


def _pattern(parts: tuple[Part, ...]) -> str:
    """Each variable ends where the text after it first stands; nothing is tried twice."""
    out, index = [], 0
    while index < len(parts):
        part, after = parts[index], parts[index + 1].text if index + 1 < len(parts) else ""
        if not part.variable:
            out.append(re.escape(part.text))
            index += 1
            continue
        out.append(_variable(part.text, after))
        index += 2
    return r"".join(out) + r"\r?"


def _variable(name: str, after: str) -> str:
    literal = re.escape(after)
    if not after:
        return r"(\S*)" if _PLAIN.fullmatch(name) else r"([^\r]*)"
    if name.startswith("upstream_") and after[0] in " ,:":
        return f"((?>{_LIST})){literal}"
    if _PLAIN.fullmatch(name) or after[0] not in " ,":
        return f"((?>[^{re.escape(after[0])}]*)){literal}"
    if name == "time_local":
        return rf"(\S+ \S+){literal}"
    return f"(?>(.*?){literal})"


class _Json:
    """A line that is a JSON object."""

    def __init__(self, log: Log) -> None:
        fields = log.fields
        names = (fields.latency, fields.status, fields.time, fields.method, fields.path, fields.flags)
        self._names = (*names, fields.first_token, fields.tokens)
        self._more = tuple(name for _, name in log.attributes)
        self._decode = msgspec.json.Decoder().decode

    def parse(self, line: bytes) -> Said | str:
        try:
            found = self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            found = self._mended(line)
        except RecursionError:
            return MALFORMED
        if not isinstance(found, dict):
            return MALFORMED
        latency, status, time, method, path, flags, first, tokens = (_field(found, name) for name in self._names)
        more = tuple(_field(found, each) for each in self._more)
        return Said(latency, status, time, method, path, "", flags, first, tokens, more)

    def _mended(self, line: bytes) -> object:
        """The same of bytes that are no UTF-8."""
        try:
            return self._decode(line.decode("utf-8", "replace"))
        except (msgspec.DecodeError, RecursionError):
            return None


def _field(found: Mapping[str, object], name: str) -> str:
    """The text of a field; `a.b` is field b within a, unless there is one of that very name."""
    if not name:
        return ""
    value: object = found.get(name)
    if value is None and "." in name:
        value = found
        for part in name.split(".", _DEEPEST):
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, str):
        return _said(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else ""
