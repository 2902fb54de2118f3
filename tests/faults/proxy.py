"""A network between two ends that fails as it is told to: refuses, hangs, drops, resets, drips, loses the answer.

Guarantees: what it does applies to connections of both ages: those that are open when it changes are cut, so that
no kept connection escapes. Threads, real sockets, loopback; its port stays the same while it refuses.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from urllib.parse import urlsplit

PIECE = 65_536


class Way(StrEnum):
    """What becomes of a connection."""

    PASS = "everything goes through"
    REFUSE = "nobody listens"
    HANG = "it is taken, and not a byte comes back or goes on"
    DROP = "it is taken and closed"
    RESET = "it is taken and reset"
    DRIP = "what comes back comes byte by byte, one each `every` seconds"
    CUT = "the request goes through, the answer is lost and the connection closed"


class Proxy:
    """`url` leads through it to `target`. Change its `way` with `be`; `taken` counts connections."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        assert parts.hostname is not None
        assert parts.port is not None
        self._target = (parts.hostname, parts.port)
        self.every = 1.0
        self.taken = 0
        self._way = Way.PASS
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = self._listen(0)
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}{parts.path}"

    def be(self, way: Way) -> None:
        """From now on; connections that are open are reset."""
        before, self._way = self._way, way
        if way is Way.REFUSE and before is not Way.REFUSE:
            _shut(self._listener)
        if before is Way.REFUSE and way is not Way.REFUSE:
            self._listener = self._listen(self.port)
        self._cut()

    def close(self) -> None:
        self._way = Way.REFUSE
        _shut(self._listener)
        self._cut()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port), backlog=256)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self.taken += 1
            self._keep(near)
            threading.Thread(target=self._carry, args=(near, self._way), daemon=True).start()

    def _carry(self, near: socket.socket, way: Way) -> None:
        if way is Way.HANG:
            return  # held until the way changes
        if way is Way.DROP:
            self._drop(near)
            return
        if way in (Way.RESET, Way.REFUSE):
            self._drop(near, reset=True)
            return
        try:
            far = socket.create_connection(self._target, timeout=10)
        except OSError:
            self._drop(near, reset=True)
            return
        far.settimeout(None)
        self._keep(far)
        threading.Thread(target=self._pump, args=(near, far), daemon=True).start()
        if way is Way.CUT:
            with contextlib.suppress(OSError):
                far.recv(PIECE)
            self._drop(far)
            self._drop(near)
        else:
            self._pump(far, near, self.every if way is Way.DRIP else None)

    def _pump(self, source: socket.socket, sink: socket.socket, every: float | None = None) -> None:
        try:
            while data := source.recv(PIECE):
                if every is None:
                    sink.sendall(data)
                    continue
                for byte in data:
                    sink.sendall(bytes([byte]))
                    time.sleep(every)
        except OSError:
            pass
        finally:
            self._drop(source)
            self._drop(sink)

    def _keep(self, one: socket.socket) -> None:
        with self._lock:
            self._open.add(one)

    def _drop(self, one: socket.socket, reset: bool = False) -> None:
        with self._lock:
            self._open.discard(one)
        if reset:
            with contextlib.suppress(OSError):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        _shut(one, reset)

    def _cut(self) -> None:
        with self._lock:
            those = list(self._open)
        for one in those:
            self._drop(one, reset=True)


def _shut(one: socket.socket, reset: bool = False) -> None:
    """Wake whoever waits for it, and close it."""
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
    one.close()


@contextmanager
def proxied(target: str) -> Iterator[Proxy]:
    """A proxy before this URL while the block runs."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
