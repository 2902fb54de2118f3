"""One TCP connection, plain or under TLS, that never blocks and says when its bytes came.

Guarantees: every call returns at once; received bytes come with the kernel's stamp where there is one. TLS runs
over memory, so that it is the ciphertext on the socket that is stamped. Knows nothing of HTTP.
"""

import os
import re
import socket
import ssl
from dataclasses import dataclass

from keeptime.observe import stamps
from keeptime.observe.kernel import AGAIN, Address, launch, send

PIECE = 65_536
_RECORD_HEAD = 5
_NONBLOCK = getattr(socket, "SOCK_NONBLOCK", 0)
_TYPE = socket.SOCK_STREAM | _NONBLOCK


@dataclass(slots=True)
class Received:
    """What came: `data` is empty at the end of the stream. `stamp`: wall-clock nanoseconds, None if unknown."""

    data: bytes
    stamp: int | None


class Wire:
    """A plain connection. Every method may raise OSError when the connection breaks."""

    __slots__ = ("_unsent", "fd", "sock")

    def __init__(self, family: int, stamped: bool) -> None:
        # The type beneath socket.socket: the same calls, without a layer of Python around opening and closing.
        self.sock = socket.SocketType(family, _TYPE)
        if not _NONBLOCK:
            self.sock.setblocking(False)
        self.fd = self.sock.fileno()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if stamped:
            stamps.enable(self.sock)
        self._unsent = b""

    def connect(self, address: Address) -> tuple[int, int, bool]:
        """Begin to connect, and send what is queued if that is possible at once.

        Gives an error number (0: well so far), the instant after connecting, and whether anything was sent.
        """
        code, connected, count = launch(self.sock, address, self._unsent)
        self._unsent = self._unsent[count:]
        return code, connected, count > 0

    @property
    def pending(self) -> int:
        """Bytes that are queued and not sent."""
        return len(self._unsent)

    @property
    def stands(self) -> bool:
        """Is it connected?"""
        try:
            self.sock.getpeername()
        except OSError:
            return False
        return True

    def write(self, data: bytes) -> None:
        """Queue these bytes."""
        self._unsent += data

    def flush(self) -> bool:
        """Send what is queued. Has all of it gone?"""
        while self._unsent:
            count = send(self.sock, self._unsent)
            if count < 0:
                if -count in AGAIN:
                    return False
                raise OSError(-count, os.strerror(-count))
            self._unsent = self._unsent[count:]
        return True

    def peek(self) -> bytes:
        """What has come and is not read, as it is on the socket."""
        try:
            return self.sock.recv(PIECE, socket.MSG_PEEK)
        except BlockingIOError:
            return b""

    def piece(self, seen: bytes, end: re.Pattern[bytes]) -> int:
        """How many of these bytes are the first piece, all of them where it has no end yet."""
        found = end.search(seen)
        return len(seen) if found is None else found.end()

    def read(self, most: int = PIECE) -> Received | None:
        """What has come, at most so many bytes of it on the socket, or None if nothing has."""
        try:
            data, ancillary, _, _ = self.sock.recvmsg(most, stamps.ANCILLARY)
        except BlockingIOError:
            return None
        return Received(data, stamps.stamp_of(ancillary) if ancillary else None)

    def close(self) -> None:
        self.sock.close()


class TlsWire(Wire):
    """The same under TLS. `ssl.SSLError`, an OSError, is raised where TLS itself fails."""

    __slots__ = ("_in", "_out", "_tls", "last_stamp")

    def __init__(self, family: int, stamped: bool, context: ssl.SSLContext, server_name: str) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=server_name)
        self.last_stamp: int | None = None
        super().__init__(family, stamped)

    def secure(self) -> bool:
        """One step of the handshake. What it wants to send must be flushed, also when it raises."""
        got = super().read()
        if got is not None:
            self.last_stamp = got.stamp
            self._feed(got.data)
        return self._step()

    def greet(self) -> None:
        """Queue the first message of the handshake."""
        self._step()

    def _step(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self._unsent += self._out.read()
        return True

    def write(self, data: bytes) -> None:
        if data:
            self._tls.write(data)
        self._unsent += self._out.read()

    def piece(self, seen: bytes, _end: re.Pattern[bytes]) -> int:
        """A record is a piece: its head says how long it is (RFC 8446, 5.1)."""
        return min(len(seen), _RECORD_HEAD + int.from_bytes(seen[3:_RECORD_HEAD])) if len(seen) > 4 else len(seen)

    def read(self, most: int = PIECE) -> Received | None:
        """Plaintext; its stamp is that of the ciphertext which completed it."""
        got = super().read(most)
        if got is not None:
            self._feed(got.data)
        parts, ended = self._decrypt()
        self._unsent += self._out.read()
        if not parts and not ended:
            return None
        return Received(b"".join(parts), got.stamp if got is not None else None)

    def _feed(self, ciphertext: bytes) -> None:
        if ciphertext:
            self._in.write(ciphertext)
        else:
            self._in.write_eof()

    def _decrypt(self) -> tuple[list[bytes], bool]:
        parts: list[bytes] = []
        while True:
            try:
                part = self._tls.read(PIECE)
            except ssl.SSLWantReadError:
                return parts, False
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return parts, True
            if not part:
                return parts, True
            parts.append(part)
