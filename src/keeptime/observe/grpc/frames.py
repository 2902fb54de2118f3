"""HTTP/2 frames, one after another (RFC 9113, 4.1), and messages of gRPC within them.

Guarantees: any split of the same bytes gives the same frames and messages; nothing larger than is allowed is kept.
"""

import zlib

from keeptime.observe.answer import Broken, TooLarge

MAX_FRAME = 16_384
"""Bytes of a frame's payload: more was never allowed to the other side."""

GOAWAY = 7
_HEAD = 9
_GZIP = 31


class Frames:
    """Whole frames of what comes in; `feed` gives each with its type."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        buffer, at = self._buffer + data, 0
        if buffer[:7] == b"HTTP/1.":
            raise Broken("it speaks HTTP/1.1; expected HTTP/2, which gRPC needs")
        found = []
        while len(buffer) - at >= _HEAD:
            length = int.from_bytes(buffer[at : at + 3], "big")
            if length > MAX_FRAME:
                raise Broken(
                    f"a frame of {length} bytes; at most {MAX_FRAME} are allowed, if this is HTTP/2 at all"
                )
            if len(buffer) - at < _HEAD + length:
                break
            end = at + _HEAD + length
            found.append((buffer[at + 3], buffer[at:end]))
            at = end
        self._buffer = buffer[at:]
        return found


class Messages:
    """Length-prefixed messages. `encoding`: how those are compressed that say they are."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buffer = bytearray()
        self.encoding = b"identity"
        self.size = 0
        self.found: list[bytes] = []

    def feed(self, data: bytes) -> None:
        """Raises Broken and TooLarge."""
        self._buffer += data
        while len(self._buffer) >= 5:
            compressed, length = self._buffer[0], int.from_bytes(self._buffer[1:5], "big")
            if compressed > 1:
                raise Broken(f"a message begins with the byte {compressed}; expected 0 or 1")
            if length > self._most:
                raise TooLarge(f"the message has {length} bytes; at most {self._most} are allowed")
            if len(self._buffer) < 5 + length:
                return
            message = bytes(self._buffer[5 : 5 + length])
            del self._buffer[: 5 + length]
            self.found.append(self._plain(message) if compressed else message)
            self.size += len(self.found[-1])

    @property
    def partial(self) -> bool:
        return bool(self._buffer)

    def _plain(self, message: bytes) -> bytes:
        if self.encoding != b"gzip":
            raise Broken(f"a message is compressed by {self.encoding[:20]!r}; expected gzip, or none")
        unpacking = zlib.decompressobj(_GZIP)
        try:
            plain = unpacking.decompress(message, self._most + 1)
        except zlib.error:
            raise Broken("a message says that it is gzip, and is not") from None
        if len(plain) > self._most:
            raise TooLarge(f"the message has more than {self._most} bytes once unpacked")
        return plain


def packed(message: bytes) -> bytes:
    """A message as it is sent."""
    return b"\0" + len(message).to_bytes(4, "big") + message
