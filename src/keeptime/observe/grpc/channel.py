"""Calls over one HTTP/2 connection, one after another: bytes in, bytes out.

Guarantees: whatever the bytes, nothing is raised but `Broken`, `TooLarge` and `Ended`. No I/O and no clock. What is
larger than the other side's window waits for it; a server that goes away in good order still answers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset, TrailersReceived
from h2.exceptions import H2Error
from hyperframe.exceptions import HyperframeError

from keeptime.model.sample import Failure
from keeptime.observe.answer import Broken
from keeptime.observe.asked import Ended
from keeptime.observe.grpc.frames import GOAWAY, Frames, Messages, packed

CODES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""Statuses of gRPC by their numbers."""

LONGEST_SAID = 200
_CONFIG = H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False)


@dataclass(slots=True)
class Reply:
    """`status`: of HTTP. `fields`: headers and trailers, by lower-case name. `whole`: it has ended."""

    messages: Messages
    status: int | None = None
    fields: dict[bytes, bytes] = field(default_factory=dict)
    whole: bool = False

    @property
    def code(self) -> str:
        """The name of its gRPC status, "" where it has none."""
        said = self.fields.get(b"grpc-status", b"")
        if not said.isdigit() or len(said) > 3:
            return ""
        return CODES[int(said)] if int(said) < len(CODES) else f"CODE_{int(said)}"

    @property
    def said(self) -> str:
        """The server's own words."""
        return unquote(self.fields.get(b"grpc-message", b"").decode("utf-8", "replace"))[:LONGEST_SAID]

    def take(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        for name, value in headers:
            self.fields[name] = self.fields[name] + b"," + value if name in self.fields else value
        self.messages.encoding = self.fields.get(b"grpc-encoding", b"identity")


class Channel:
    """`headers`: of every call, its path excepted. `most`: bytes of a message."""

    def __init__(self, headers: Sequence[tuple[str, str]], most: int) -> None:
        self._headers, self._most = headers, most
        self._connection = H2Connection(_CONFIG)
        self._connection.initiate_connection()
        self._frames = Frames()
        self._stream = 0
        self._unsent = b""
        self.reply = Reply(Messages(most))

    def call(self, path: str, message: bytes) -> bytes:
        """Begin the next call, when there is none or the one before is whole: the bytes to send."""
        self._stream = self._connection.get_next_available_stream_id()
        self.reply = Reply(Messages(self._most))
        self._connection.send_headers(self._stream, [(":path", path), *self._headers])
        self._unsent = packed(message)
        self._pump()
        return bytes(self._connection.data_to_send())

    def feed(self, data: bytes) -> bytes:
        """Take what came; the bytes to send."""
        reply = self.reply
        try:
            for kind, frame in self._frames.feed(data):
                if kind == GOAWAY:
                    self._going(frame)
                    continue
                for event in self._connection.receive_data(frame):
                    self._take(event)
            if not reply.whole:
                self._pump()
        except (H2Error, HyperframeError, ValueError, IndexError) as error:
            raise Broken(f"no HTTP/2 as it should be: {type(error).__name__} {str(error)[:80]}".rstrip()) from None
        return bytes(self._connection.data_to_send())

    def _take(self, event: Event) -> None:
        reply = self.reply
        if getattr(event, "stream_id", self._stream) != self._stream:
            return
        if isinstance(event, ResponseReceived):
            headers = dict(event.headers)
            said = headers.get(b":status", b"")
            reply.status = int(said) if said.isdigit() and len(said) == 3 else None
            reply.take(each for each in event.headers if not each[0].startswith(b":"))
        elif isinstance(event, TrailersReceived):
            reply.take(event.headers)
        elif isinstance(event, DataReceived):
            self._connection.acknowledge_received_data(event.flow_controlled_length, self._stream)
            reply.messages.feed(event.data)
        elif isinstance(event, StreamEnded):
            reply.whole = True
        elif isinstance(event, StreamReset) and not reply.whole:
            raise Ended(Failure.PROTOCOL, f"the call was reset: {_named(event.error_code)}")

    def _going(self, frame: bytes) -> None:
        """The server goes away; h2 would take no answer any more, though one to an earlier call may still come."""
        last, code = int.from_bytes(frame[9:13], "big") & 0x7FFFFFFF, int.from_bytes(frame[13:17], "big")
        if not self.reply.whole and (last < self._stream or code):
            raise Ended(Failure.PROTOCOL, f"the server went away before it answered: {_named(code)}")

    def _pump(self) -> None:
        """Send of the request what the other side's window has room for."""
        connection = self._connection
        while self._unsent:
            room = min(connection.local_flow_control_window(self._stream), connection.max_outbound_frame_size)
            if room <= 0:
                return
            piece, self._unsent = self._unsent[:room], self._unsent[room:]
            connection.send_data(self._stream, piece, end_stream=not self._unsent)


def _named(code: int) -> str:
    try:
        return ErrorCodes(code).name
    except ValueError:
        return f"error {code}"
