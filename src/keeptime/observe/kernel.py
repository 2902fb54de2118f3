"""System calls that Python's own modules lack, or make while giving up the interpreter.

Guarantees: `connect` and `send` never block (their sockets do not) and hold the interpreter, so another thread
cannot come between the start of a probe and its first byte; `Alarm` wakes a poll at an exact instant. Where the
system is not Linux, the standard library does the same less exactly. Knows nothing of HTTP.
"""

import ctypes
import errno
import os
import socket
import struct
import sys

from keeptime.clock import monotonic_ns

AGAIN = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.EINPROGRESS, errno.ENOTCONN, errno.EALREADY})
"""Error numbers of a socket that is not ready yet."""
_BEGUN = frozenset({0, errno.EINPROGRESS})
LINUX = sys.platform.startswith("linux")
_CLOCK_MONOTONIC = 1
_TFD_FLAGS = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_TFD_TIMER_ABSTIME = 1
_NOSIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)
_TCPI_RTT_AT = 68
"""Offset of tcpi_rtt (microseconds, 32 bits) in Linux' struct tcp_info, fixed since 2.6."""
_TCPI_DATA_SEGS_IN_AT = 152
"""Offset of tcpi_data_segs_in (32 bits), fixed since 4.6."""

Address = tuple[int, bytes, tuple[str, int] | tuple[str, int, int, int]]
"""Family, the kernel's sockaddr, and the same for Python's socket module."""


class _Itimerspec(ctypes.Structure):
    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


if LINUX:
    # PyDLL, not CDLL: the interpreter is held. Non-blocking calls are over in microseconds.
    _libc = ctypes.PyDLL(None, use_errno=True)
    _libc.connect.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    _libc.send.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
    _libc.send.restype = ctypes.c_ssize_t
    _libc.timerfd_settime.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.POINTER(_Itimerspec), ctypes.c_void_p)

    def connect(sock: socket.SocketType, address: Address) -> int:
        """Begin to connect: 0, EINPROGRESS or another error number."""
        if _libc.connect(sock.fileno(), address[1], len(address[1])) == 0:
            return 0
        return ctypes.get_errno()

    def send(sock: socket.SocketType, data: bytes) -> int:
        """How many bytes the kernel took, or an error number below zero (−EAGAIN: none now)."""
        sent: int = _libc.send(sock.fileno(), data, len(data), _NOSIGNAL)
        return sent if sent >= 0 else -ctypes.get_errno()

else:

    def connect(sock: socket.SocketType, address: Address) -> int:
        """Begin to connect: 0, EINPROGRESS or another error number."""
        return sock.connect_ex(address[2])

    def send(sock: socket.SocketType, data: bytes) -> int:
        """How many bytes the kernel took, or an error number below zero (−EAGAIN: none now)."""
        try:
            return sock.send(data, _NOSIGNAL)
        except OSError as error:
            return -(error.errno or errno.EIO)


def launch(sock: socket.SocketType, address: Address, data: bytes) -> tuple[int, int, int]:
    """Begin to connect and send `data` at once: (error number, instant after connecting, bytes sent).

    On loopback a connection stands when connect() returns, so this saves a turn of the loop; elsewhere nothing is
    sent yet. The two calls follow each other with nothing between them: what is between them is measured.
    """
    code = connect(sock, address)
    connected = monotonic_ns()
    if code not in _BEGUN:
        return code, connected, 0
    count = send(sock, data)
    if count < 0:
        return (0 if -count in AGAIN else -count), connected, 0
    return 0, connected, count


def address_of(family: int, host: str, port: int, scope: int = 0) -> Address:
    """The address of a literal IPv4 or IPv6 host. Raises OSError if it is none."""
    packed = socket.inet_pton(family, host)
    if family == socket.AF_INET:
        raw = struct.pack("=H", family) + struct.pack("!H", port) + packed + bytes(8)
        return family, raw, (host, port)
    raw = struct.pack("=H", family) + struct.pack("!HI", port, 0) + packed + struct.pack("=I", scope)
    return family, raw, (host, port, 0, scope)


def round_trip_ns(sock: socket.SocketType) -> int | None:
    """The kernel's own measure of the round trip: after a connect, how long the handshake took. None: unknown."""
    if not LINUX:
        return None
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCPI_RTT_AT + 4)
    if len(info) < _TCPI_RTT_AT + 4:
        return None
    micros: int = struct.unpack_from("=I", info, _TCPI_RTT_AT)[0]
    return micros * 1000 or None


def segments_in(sock: socket.SocketType) -> int:
    """How many segments with data have come on this connection; 0 where that is not known."""
    if not LINUX:
        return 0
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCPI_DATA_SEGS_IN_AT + 4)
    if len(info) < _TCPI_DATA_SEGS_IN_AT + 4:
        return 0
    count: int = struct.unpack_from("=I", info, _TCPI_DATA_SEGS_IN_AT)[0]
    return count


class Alarm:
    """A file descriptor that becomes readable at an instant of the monotonic clock (timerfd).

    A poll's own timeout is in milliseconds and may be 50 µs late by the system's timer slack; this is neither.
    """

    def __init__(self) -> None:
        self.fd: int = _libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_FLAGS)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._spec = _Itimerspec()
        self._pointer = ctypes.pointer(self._spec)

    def set(self, at_ns: int) -> None:
        """Wake at this instant (past: at once); an earlier setting is forgotten, and so is that it has rung."""
        self._spec.value_s, self._spec.value_ns = divmod(max(1, at_ns), 1_000_000_000)
        _libc.timerfd_settime(self.fd, _TFD_TIMER_ABSTIME, self._pointer, None)

    def close(self) -> None:
        os.close(self.fd)
