"""Reads one HTTP/1.1 response from bytes, however they are split (RFC 9110, RFC 9112).

Guarantees: any split of the same bytes gives the same answer; whatever the bytes, nothing is raised but `Broken`
and `TooLarge`; never holds more than the head's limit and the body's. No I/O and no clock: bytes in, an answer out.
"""

import re
from collections.abc import Callable
from enum import Enum, auto

MAX_HEAD = 65_536
"""Bytes of all status lines, headers, trailers together."""
MAX_CHUNK_LINE = 4_096
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: [^\r\n\0]*)?")
_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n\0]*)?")


class Broken(Exception):
    """These bytes are no HTTP/1.1 response; the text says why."""


class TooLarge(Exception):
    """The body is larger than allowed; the text says so."""


class Step(Enum):
    """What comes next in the bytes."""

    HEAD = auto()
    FIXED = auto()
    CHUNK_SIZE = auto()
    CHUNK_DATA = auto()
    CHUNK_END = auto()
    TRAILERS = auto()
    UNTIL_CLOSE = auto()
    DONE = auto()


class Answer:
    """`status`, `fields` (by lower-case name): once the head is read; `size`: bytes of body so far; `keep`: the
    connection can be used again.
    """

    __slots__ = (
        "_at", "_body", "_buffer", "_head_bytes", "_head_only", "_left", "_max", "fields", "keep", "size", "status",
        "step",
    )  # fmt: skip

    def __init__(self, method: str, max_body: int) -> None:
        self._head_only = method == "HEAD"
        self._max = max_body
        self._buffer = b""
        self._at = 0
        self._body = bytearray()
        self._head_bytes = 0
        self._left = 0
        self.step = Step.HEAD
        self.status: int | None = None
        self.fields: dict[bytes, bytes] = {}
        self.size = 0
        self.keep = False

    @property
    def body(self) -> bytes:
        return bytes(self._body)

    def since(self, at: int) -> bytes:
        """The body from this byte on, as far as it has come."""
        return bytes(self._body[at:])

    def feed(self, data: bytes) -> bool:
        """Take the next bytes (at least one). Is the answer whole?"""
        self._buffer = self._buffer[self._at :] + data if self._at < len(self._buffer) else data
        self._at = 0
        while _STEPS[self.step](self):
            pass
        if self.step is Step.DONE and self._at < len(self._buffer):
            self.keep = False
        return self.step is Step.DONE

    def end(self) -> None:
        """The other side has closed. Raises Broken unless that was the end of the answer."""
        if self.step is Step.UNTIL_CLOSE:
            self.step = Step.DONE
        if self.step is not Step.DONE:
            raise Broken(_CUT_OFF[self.step])

    def _head(self) -> bool:
        end = _HEAD_END.search(self._buffer, self._at)
        if end is None:
            self._room(len(self._buffer) - self._at)
            self._plausible()
            return False
        self._room(end.end() - self._at)
        self._head_bytes += end.end() - self._at
        start, self._at = self._at, end.end()
        self._read_head(self._buffer[start : end.start()])
        return True

    def _room(self, more: int) -> None:
        if self._head_bytes + more > MAX_HEAD:
            raise Broken(f"the head is longer than {MAX_HEAD} bytes")

    def _plausible(self) -> None:
        start = self._buffer[self._at : self._at + 7]
        if start != b"HTTP/1."[: len(start)]:
            raise Broken(f"expected HTTP/1.1, got {start[:7]!r}")

    def _read_head(self, head: bytes) -> None:
        lines = head.split(b"\n")
        match = _STATUS.fullmatch(lines[0].removesuffix(b"\r"))
        if match is None:
            raise Broken(f"expected a status line such as 'HTTP/1.1 200 OK', got {lines[0][:40]!r}")
        status = int(match[2])
        if 100 <= status < 200:
            if status == 101:
                raise Broken("the server switched protocols unasked (101)")
            return
        self.status = status
        self.fields = fields = _fields(lines[1:])
        options = fields.get(b"connection", b"").lower()
        self.keep = b"keep-alive" in options if match[1] == b"0" else b"close" not in options
        self._frame(fields)

    def _frame(self, fields: dict[bytes, bytes]) -> None:
        """How the body ends (RFC 9112, 6.3)."""
        coding = fields.get(b"transfer-encoding")
        length = fields.get(b"content-length")
        if self._head_only or self.status in (204, 304):
            self.step = Step.DONE
        elif coding is not None:
            if coding.strip().lower() != b"chunked":
                raise Broken(f"the transfer coding {coding[:40]!r} is none that was asked for")
            self.step = Step.CHUNK_SIZE
            self.keep = self.keep and length is None
        elif length is not None:
            self._left = _length(length)
            self._allow(self._left)
            self.step = Step.FIXED if self._left else Step.DONE
        else:
            self.keep = False
            self.step = Step.UNTIL_CLOSE

    def _allow(self, more: int) -> None:
        if self.size + more > self._max:
            raise TooLarge(f"the body is at least {self.size + more} bytes; at most {self._max} are allowed")

    def _take(self, most: int) -> None:
        part = self._buffer[self._at : self._at + most]
        self._allow(len(part))
        self._at += len(part)
        self._body += part
        self.size += len(part)

    def _fixed(self) -> bool:
        before = self.size
        self._take(self._left)
        self._left -= self.size - before
        if self._left:
            return False
        self.step = Step.DONE
        return True

    def _until_close(self) -> bool:
        self._take(len(self._buffer) - self._at)
        return False

    def _line(self) -> bytes | None:
        """The next line without its end, or None if it is not whole yet."""
        newline = self._buffer.find(b"\n", self._at)
        end = newline if newline >= 0 else len(self._buffer)
        if end - self._at > MAX_CHUNK_LINE:
            raise Broken(f"a line between chunks is longer than {MAX_CHUNK_LINE} bytes")
        if newline < 0:
            return None
        line = self._buffer[self._at : newline]
        self._at = newline + 1
        return line.removesuffix(b"\r")

    def _chunk_size(self) -> bool:
        line = self._line()
        if line is None:
            return False
        match = _CHUNK.fullmatch(line)
        if match is None:
            raise Broken(f"expected the size of a chunk, got {line[:20]!r}")
        self._left = int(match[1], 16)
        self._allow(self._left)
        self.step = Step.CHUNK_DATA if self._left else Step.TRAILERS
        return True

    def _chunk_data(self) -> bool:
        if self._at == len(self._buffer):
            return False
        before = self.size
        self._take(self._left)
        self._left -= self.size - before
        if self._left:
            return False
        self.step = Step.CHUNK_END
        return True

    def _chunk_end(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if line:
            raise Broken(f"expected the end of a chunk, got {line[:20]!r}")
        self.step = Step.CHUNK_SIZE
        return True

    def _trailers(self) -> bool:
        line = self._line()
        if line is None:
            return False
        self._room(len(line) + 2)
        self._head_bytes += len(line) + 2
        if not line:
            self.step = Step.DONE
        else:
            _field(line)
        return True

    def _done(self) -> bool:
        return False


_STEPS: dict[Step, Callable[[Answer], bool]] = {
    Step.HEAD: Answer._head,
    Step.FIXED: Answer._fixed,
    Step.CHUNK_SIZE: Answer._chunk_size,
    Step.CHUNK_DATA: Answer._chunk_data,
    Step.CHUNK_END: Answer._chunk_end,
    Step.TRAILERS: Answer._trailers,
    Step.UNTIL_CLOSE: Answer._until_close,
    Step.DONE: Answer._done,
}
"""Each step takes what it can of the buffer and says whether the next one may go on at once."""

_CUT_OFF = {
    Step.HEAD: "the connection was closed before the end of the head",
    Step.FIXED: "the connection was closed before the end of the body",
    Step.CHUNK_SIZE: "the connection was closed before the last chunk",
    Step.CHUNK_DATA: "the connection was closed within a chunk",
    Step.CHUNK_END: "the connection was closed after a chunk",
    Step.TRAILERS: "the connection was closed before the end of the trailers",
}


def _fields(lines: list[bytes]) -> dict[bytes, bytes]:
    """Header fields by lower-case name; repeated ones are joined by commas (RFC 9110, 5.3)."""
    found: dict[bytes, bytes] = {}
    for line in lines:
        name, value = _field(line.removesuffix(b"\r"))
        found[name] = found[name] + b"," + value if name in found else value
    return found


def _field(line: bytes) -> tuple[bytes, bytes]:
    """Name in lower case, and value, of a field line (RFC 9112, 5)."""
    name, colon, value = line.partition(b":")
    if not colon or not name or name.translate(None, _TOKEN) or b"\0" in value or b"\r" in value:
        raise Broken(f"expected a header field, got {line[:40]!r}")
    return name.lower(), value.strip(b" \t")


def _length(value: bytes) -> int:
    lengths = {each.strip() for each in value.split(b",")}
    text = lengths.pop()
    if lengths or not text.isdigit() or len(text) > 18:
        raise Broken(f"expected one Content-Length, got {value[:40]!r}")
    return int(text)
