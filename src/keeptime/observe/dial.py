"""From the name of an endpoint to a connection that can take the request: look-up, connect, TLS handshake.

Guarantees: tells its caller exactly once how it went, unless it is dropped before; where a name has several
addresses, each but the last gets its share of the time that is left, and one that is never connected to (a cloud's
metadata, multicast) is left out. What is queued first (the request, or the
beginning of a TLS handshake) goes out at the instant the connection stands. Knows nothing of answers.
"""

import errno
import os
import socket
from collections.abc import Sequence
from typing import Protocol

from keeptime.clock import monotonic_ns
from keeptime.model.reach import OWN
from keeptime.model.sample import Failure
from keeptime.observe.faults import broken_off, bug, unconnected
from keeptime.observe.kernel import Address, round_trip_ns
from keeptime.observe.phases import Phase, Stopwatch
from keeptime.observe.reactor import IN, OUT, Reactor
from keeptime.observe.resolve import Names
from keeptime.observe.stamps import LAG_NOTED_NS
from keeptime.observe.target import Target
from keeptime.observe.wire import TlsWire, Wire


class Caller(Protocol):
    """Who wants the connection."""

    def connected(self, wire: Wire, watched: int, lag: int) -> None:
        """It stands, with the request queued and maybe gone already: the phase is WRITE.

        `watched`: the events for which the reactor tells the dial of it; `lag`: how late things were noticed (ns).
        """
        ...

    def unconnected(self, failure: Failure | None, why: str) -> None:
        """There is none. No failure: this machine has no room for one."""
        ...

    def set_timer(self) -> None:
        """`try_until` is new, and to be waited for."""
        ...


class Dial:
    """`try_until`: the instant at which to give up the present address for the next, 0 if it is the last."""

    __slots__ = (
        "_addresses", "_caller", "_lag", "_names", "_offset", "_over", "_reactor", "_request", "_stamps", "_target",
        "_timeout", "_watch", "_watched", "_wire", "try_until",
    )  # fmt: skip

    def __init__(
        self,
        reactor: Reactor,
        names: Names,
        target: Target,
        request: bytes,
        watch: Stopwatch,
        caller: Caller,
        timeout: int,
        stamps: bool,
    ) -> None:
        self._reactor, self._names, self._target, self._watch = reactor, names, target, watch
        self._request, self._caller, self._timeout, self._stamps = request, caller, timeout, stamps
        self._addresses: list[Address] = []
        self._wire: Wire | None = None
        self._watched = self._lag = self.try_until = 0
        self._offset = reactor.bracket.offset
        self._over = False

    def begin(self) -> None:
        """Look up the name, or connect where there is none to look up."""
        if self._target.literal is not None:
            self._addresses = [self._target.literal]
            self._next_address()
        else:
            self._watch.phase = Phase.DNS
            self._watch.leave(monotonic_ns())
            self._names.lookup(self._target.host, self._target.port, self._named)

    def next(self) -> None:
        """The present address has had its time."""
        self.try_until = 0
        if self._wire is not None and self._addresses and self._watch.phase is Phase.CONNECT:
            self._drop_wire()
            self._next_address()

    def drop(self) -> None:
        """Give up; the caller is not told."""
        self._over = True
        self._drop_wire()

    def _named(self, addresses: Sequence[Address], why: str) -> None:
        if self._over:
            return
        self._watch.mark(monotonic_ns())
        good, refusal = OWN.checked(self._target.host, [each[2][0] for each in addresses])
        if not good:
            self._over = True
            self._caller.unconnected(Failure.DNS, f"{self._target.host}: {refusal or why}")
            return
        self._addresses = [each for each in addresses if each[2][0] in good]
        self._next_address()
        if self.try_until and not self._over:
            self._caller.set_timer()

    def _next_address(self) -> None:
        """Connect to the next address; where more follow, this one gets its share of the time that is left."""
        address = self._addresses.pop(0)
        try:
            wire = self._wire = self._new_wire(address[0])
        except OSError as error:
            self._failed(error)
            return
        watch = self._watch
        watch.phase, self._watched = Phase.CONNECT, 0
        watch.leave(monotonic_ns())
        code, now, sent = wire.connect(address)
        if code:
            self._failed(OSError(code, os.strerror(code)))
            return
        if self._addresses:
            self.try_until = now + (watch.sent + self._timeout - now) // (len(self._addresses) + 1)
        if sent or _stands_unsaid(wire):
            self._stands(wire, now)
        else:
            self._listen(wire, IN | OUT)

    def _new_wire(self, family: int) -> Wire:
        """A socket with its first bytes queued: the request, or the beginning of the handshake."""
        target = self._target
        if target.context is None:
            wire = Wire(family, self._stamps)
            wire.write(self._request)
            return wire
        secure = TlsWire(family, self._stamps, target.context, target.server_name)
        secure.greet()
        return secure

    def _listen(self, wire: Wire, events: int) -> None:
        if events != self._watched:
            self._watched = events
            self._reactor.watch(wire.fd, self, events)

    def ready(self, _events: int) -> None:
        """The connection stands, or cannot; or a piece of the handshake has come."""
        wire = self._wire
        if wire is None:
            return
        if self._watch.phase is Phase.TLS:
            self._secure(wire)
            return
        code = wire.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == errno.ECONNRESET:  # one that is refused is ECONNREFUSED (Linux, tcp_reset): this one stood
            self._watch.mark(monotonic_ns())
            self._watch.phase = Phase.WRITE if self._target.context is None else Phase.TLS
            self._broke(OSError(code, os.strerror(code)))
            return
        if code:
            self._failed(OSError(code, os.strerror(code)))
            return
        at, before = self._stood_at(wire), wire.pending
        try:
            wire.flush()
        except OSError as error:
            self._failed(error)
            return
        if wire.pending != before or _stands_unsaid(wire):
            self._stands(wire, at)

    def _stood_at(self, wire: Wire) -> int:
        """Since when it stands at the latest: by the kernel's round trip where this program was busy."""
        now, trip = monotonic_ns(), round_trip_ns(wire.sock)
        if trip is not None and self._watch.last + trip < now - LAG_NOTED_NS:
            at = self._watch.last + trip
            self._lag += now - at
            return at
        return now

    def _stands(self, wire: Wire, at: int) -> None:
        """Connected, since `at` at the latest, and some of what is queued has gone."""
        watch = self._watch
        watch.mark(at)
        if self._target.context is None:
            self._done(wire)
        else:
            watch.phase = Phase.TLS
            try:
                self._listen(wire, IN if not wire.pending or wire.flush() else IN | OUT)
            except OSError as error:
                self._broke(error)

    def _secure(self, wire: Wire) -> None:
        """One step of the handshake."""
        assert isinstance(wire, TlsWire)
        try:
            try:
                done = wire.secure()
            finally:
                flushed = wire.flush()  # also the alert that says why not
            now = monotonic_ns()
            at = self._reactor.bracket.believed(wire.last_stamp, self._offset, self._watch.sent, now)
            if at is not None and now - at > LAG_NOTED_NS:
                self._lag += now - at
            if not done:
                self._listen(wire, IN if flushed else IN | OUT)
                return
            self._watch.mark(now)
            wire.write(self._request)
        except OSError as error:
            self._broke(error)
        else:
            self._done(wire)

    def _done(self, wire: Wire) -> None:
        self._over, self._wire = True, None
        self._watch.phase = Phase.WRITE
        self._caller.connected(wire, self._watched, self._lag)

    def failed(self, error: Exception) -> None:
        """A bug of keeptime has ended it."""
        self.drop()
        self._caller.unconnected(None, bug(error))

    def _broke(self, error: OSError) -> None:
        self.drop()
        self._caller.unconnected(*broken_off(error, self._watch.phase))

    def _failed(self, error: OSError) -> None:
        self._drop_wire()
        if self._addresses:
            self._next_address()
        else:
            self._over = True
            self._caller.unconnected(*unconnected(error, self._target.host, self._target.port))

    def _drop_wire(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            self._reactor.forget(wire.fd)
            wire.close()


def _stands_unsaid(wire: Wire) -> bool:
    """Of a connection over which nothing is to be said first: does it stand?"""
    return not wire.pending and wire.stands
