"""One probe on its way: from the look-up of the name to the last byte of the answer, or to its deadline.

Guarantees: ends exactly once, with a Sample, whatever the other side does; its phases add up to done − sent; a
timeout is done at exactly sent + timeout; an answer whose last byte came after the deadline is a timeout, one that
came before it is not, however late this program looked. What was received is stamped by the kernel where it can be.
Knows nothing of schedules and counts.
"""

import errno
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Protocol

from keeptime.clock import monotonic_ns
from keeptime.model.sample import LATE_NS, Connection, Failure, Sample
from keeptime.observe.answer import Answer, Broken, TooLarge
from keeptime.observe.kernel import Address, round_trip_ns
from keeptime.observe.phases import Phase, Stopwatch
from keeptime.observe.reactor import IN, OUT, Reactor
from keeptime.observe.resolve import Names
from keeptime.observe.stamps import STEP_NS
from keeptime.observe.target import Target
from keeptime.observe.wire import TlsWire, Wire

LAG_NOTED_NS = 200_000
"""A wake-up that was later than this is the prober's own lag; less is the cost of any program."""
OVERDUE_MARGIN_NS = 10_000_000
"""A request is called overdue this long after the instant: bytes on their way through the kernel were in time."""
NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""This machine's own limits: the probe did not leave, and nothing is known about the endpoint."""


class Owner(Protocol):
    """Who sent the probe, and keeps connections for the next one."""

    def idle_wire(self) -> Wire | None:
        """A connection to use again, which the reactor watches for input."""
        ...

    def keep(self, wire: Wire) -> None:
        """This connection can be used again; the reactor watches it for input."""
        ...

    def wake_by(self, instant: int) -> None:
        """The flight wants its `due` called at its `wake_at`, which is this instant."""
        ...

    def landed(self, flight: "Flight", sample: Sample, /) -> None: ...

    def unsent(self, flight: "Flight", reason: str, /) -> None: ...

    def overdue(self, flight: "Flight", /) -> None:
        """Not done, and so late that no threshold can be met any more."""
        ...


class Flight:
    """`due_wall`, `due_mono`: the same instant on both clocks. `timeout`: nanoseconds."""

    __slots__ = (
        "_addresses", "_answer", "_attempt_until", "_deadline", "_events", "_lag", "_names", "_offset",
        "_overdue_at", "_owner", "_phase", "_reactor", "_received", "_reused", "_stamps", "_target", "_timeout",
        "_watch", "_wire", "contract", "due_mono", "due_wall", "ended", "wake_at",
    )  # fmt: skip

    def __init__(
        self,
        reactor: Reactor,
        names: Names,
        owner: Owner,
        target: Target,
        contract: str,
        timeout: int,
        stamps: bool,
    ) -> None:
        self._reactor, self._names, self._owner, self._target = reactor, names, owner, target
        self.contract, self._timeout, self._stamps = contract, timeout, stamps
        self.due_wall = self.due_mono = 0
        self._deadline = self._attempt_until = self._overdue_at = self.wake_at = 0
        self._answer = Answer(target.method, target.max_body)
        self._addresses: list[Address] = []
        self._watch = Stopwatch()
        self._wire: Wire | None = None
        self._events = self._lag = self._offset = 0
        self._phase = Phase.DNS
        self._received = self._reused = self.ended = False

    def start(self, due_wall: int, due_mono: int, overdue_after: int | None) -> None:
        """Leave now. `overdue_after`: nanoseconds after which every threshold is exceeded; None: no such thing."""
        self.due_wall, self.due_mono = due_wall, due_mono
        self._offset = self._reactor.bracket.offset
        wire = self._owner.idle_wire()
        if wire is not None:
            self._use_again(wire)
        else:
            self._open()
        if self.ended:
            return
        sent = self._watch.sent
        self._deadline = sent + self._timeout
        if overdue_after is not None:
            start = due_mono if sent - due_mono > LATE_NS else sent
            self._overdue_at = start + overdue_after + OVERDUE_MARGIN_NS
        self._set_timer()

    # Deadlines

    def _set_timer(self) -> None:
        wake = self._deadline
        if self._overdue_at and self._overdue_at < wake:
            wake = self._overdue_at
        if self._attempt_until and self._attempt_until < wake:
            wake = self._attempt_until
        self.wake_at = wake
        self._owner.wake_by(wake)

    def due(self, now: int) -> None:
        """An instant of this probe has come. What came in before it still counts."""
        if not self.ended and self._wire is not None and self._phase >= Phase.WRITE:
            self.ready(IN)
        if self.ended:
            return
        if now >= self._deadline:
            self._end(Failure.TIMEOUT, "", self._deadline)
            return
        if self._overdue_at and now >= self._overdue_at:
            self._overdue_at = 0
            self._owner.overdue(self)
        if self._attempt_until and now >= self._attempt_until:
            self._attempt_until = 0
            if self._phase is Phase.CONNECT and self._addresses:
                self._drop()
                self._next_address()
        if not self.ended:
            self._set_timer()

    # Getting a connection

    def _open(self) -> None:
        if self._target.literal is not None:
            self._addresses = [self._target.literal]
            self._next_address()
        else:
            self._phase = Phase.DNS
            self._watch.leave(monotonic_ns())
            self._names.lookup(self._target.host, self._target.port, self._named)

    def _named(self, addresses: Sequence[Address], why: str) -> None:
        if self.ended:
            return
        self._watch.mark(Phase.DNS, monotonic_ns())
        if not addresses:
            self._end(Failure.DNS, f"{self._target.host}: {why}")
            return
        self._addresses = list(addresses)
        self._next_address()
        if self._attempt_until and not self.ended:
            self._set_timer()

    def _next_address(self) -> None:
        """Connect to the next address; where more follow, this one gets its share of the time that is left."""
        address = self._addresses.pop(0)
        try:
            wire = self._wire = self._new_wire(address[0])
        except OSError as error:
            self._not_connected(error)
            return
        self._phase, self._events = Phase.CONNECT, 0
        self._watch.leave(monotonic_ns())
        code, now, sent = wire.connect(address)
        if code:
            self._not_connected(OSError(code, os.strerror(code)))
            return
        if self._addresses:
            self._attempt_until = now + (self._deadline - now) // (len(self._addresses) + 1)
        if sent:
            self._connected(now)
        else:
            self._listen(IN | OUT)

    def _new_wire(self, family: int) -> Wire:
        """A socket with its first bytes queued: the request, or the beginning of the handshake."""
        target = self._target
        if target.context is None:
            wire = Wire(family, self._stamps)
            wire.write(target.request)
            return wire
        secure = TlsWire(family, self._stamps, target.context, target.server_name)
        secure.greet()
        return secure

    def _not_connected(self, error: OSError) -> None:
        self._drop()
        if self._addresses:
            self._next_address()
        elif error.errno in NO_ROOM:
            self.ended = True
            self._owner.unsent(self, f"no socket or port to spare here: {_said(error)}")
        elif isinstance(error, ssl.SSLError):
            self._end(Failure.TLS, _said(error))
        else:
            where = f"[{self._target.host}]" if ":" in self._target.host else self._target.host
            self._end(Failure.REFUSED, f"{where}:{self._target.port}: {_said(error)}")

    def _on_connect(self, _events: int) -> None:
        now = monotonic_ns()
        wire = self._connection()
        code = wire.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._not_connected(OSError(code, os.strerror(code)))
            return
        trip = round_trip_ns(wire.sock)
        if trip is not None and self._watch.last + trip < now - LAG_NOTED_NS:
            at = self._watch.last + trip
            self._lag += now - at
            now = at
        self._send_first(now)

    def _send_first(self, connected: int) -> None:
        """Send what is queued. If any of it goes, there is a connection, since `connected` at the latest."""
        wire = self._connection()
        before = wire.pending
        try:
            wire.flush()
        except OSError as error:
            self._not_connected(error)
            return
        if wire.pending != before:
            self._connected(connected)

    def _connected(self, at: int) -> None:
        """There is a connection, since `at` at the latest, and some of what is queued has gone."""
        self._watch.mark(Phase.CONNECT, at)
        self._phase = Phase.WRITE if self._target.context is None else Phase.TLS
        wire = self._connection()
        try:
            self._after_flush(not wire.pending or wire.flush())
        except OSError as error:
            self._broke(error)

    def _use_again(self, wire: Wire) -> None:
        self._wire, self._reused, self._events = wire, True, IN
        self._reactor.hand_over(wire.fd, self)
        self._watch.leave(monotonic_ns())
        self._request()

    def _request(self) -> None:
        """Send the request on a connection that stands."""
        wire = self._connection()
        self._phase = Phase.WRITE
        try:
            wire.write(self._target.request)
            self._after_flush(wire.flush())
        except OSError as error:
            self._broke(error)

    # On a connection

    def _connection(self) -> Wire:
        assert self._wire is not None, "a phase after DNS has a connection"
        return self._wire

    def _listen(self, events: int) -> None:
        if events != self._events:
            self._events = events
            self._reactor.watch(self._connection().fd, self, events)

    def _after_flush(self, flushed: bool) -> None:
        if flushed and self._phase is Phase.WRITE:
            self._watch.mark(Phase.WRITE, monotonic_ns())
            self._phase = Phase.WAIT
        self._listen(IN if flushed else IN | OUT)

    def ready(self, events: int) -> None:
        """The connection can be read or written."""
        if self.ended:
            return
        try:
            _READY[self._phase](self, events)
        except OSError as error:
            self._broke(error)

    def _on_tls(self, _events: int) -> None:
        wire = self._connection()
        assert isinstance(wire, TlsWire)
        try:
            done = wire.secure()
        finally:
            flushed = wire.flush()  # also the alert that says why not
        now = monotonic_ns()
        at = self._believed(wire.last_stamp, now)
        if at is not None and now - at > LAG_NOTED_NS:
            self._lag += now - at
        if done:
            self._watch.mark(Phase.TLS, now)
            self._request()
        else:
            self._listen(IN if flushed else IN | OUT)

    def _on_write(self, events: int) -> None:
        if events & ~OUT:
            self._on_read(events)
        if not self.ended and self._phase is Phase.WRITE:
            self._after_flush(self._connection().flush())

    def _on_read(self, _events: int) -> None:
        wire = self._connection()
        got = wire.read()
        now = monotonic_ns()
        if wire.pending and self._phase is not Phase.WRITE:
            wire.flush()
        if got is None:
            return
        if not got.data:
            self._closed(now)
            return
        at = self._believed(got.stamp, now)
        instant = now
        if at is not None:
            instant = at
            self._reactor.note_lag(now - at)
        if self._phase is not Phase.TRANSFER:
            self._watch.mark(self._phase, instant)
            self._phase, self._received = Phase.TRANSFER, True
        self._take(got.data, instant, at is not None)

    def _take(self, data: bytes, instant: int, stamped: bool) -> None:
        try:
            whole = self._answer.feed(data)
        except Broken as error:
            self._end(Failure.PROTOCOL, str(error), instant, stamped)
        except TooLarge as error:
            self._end(Failure.TOO_LARGE, str(error), instant, stamped)
        else:
            if whole:
                self._whole(instant, stamped)

    def _believed(self, stamp: int | None, now: int) -> int | None:
        """The kernel's stamp on the monotonic clock; None if there is none, or the wall clock has stepped."""
        if stamp is None:
            return None
        bracket, sent = self._reactor.bracket, self._watch.sent
        if abs(bracket.offset - self._offset) > STEP_NS + (now - sent) // 1000:
            return None
        mono = bracket.mono(stamp)
        return min(mono, now) if sent <= mono <= now + LAG_NOTED_NS else None

    def _closed(self, now: int) -> None:
        """The other side has closed: the end of the answer, of patience, or of a connection that had been idle."""
        if self._reused and not self._received:
            self._once_more(now)
            return
        try:
            self._answer.end()
        except Broken as error:
            self._end(Failure.PROTOCOL, str(error), now)
        else:
            self._whole(now, stamped=False)

    def _broke(self, error: OSError) -> None:
        if isinstance(error, ssl.SSLError):
            self._end(Failure.TLS, _said(error))
        elif self._reused and not self._received:
            self._once_more(monotonic_ns())
        elif self._phase is Phase.TLS:
            self._end(Failure.TLS, f"broken off during the handshake: {_said(error)}")
        else:
            self._end(Failure.PROTOCOL, f"broken off before the end of the answer: {_said(error)}")

    def _once_more(self, now: int) -> None:
        """A kept connection was closed before it answered anything: use a fresh one, once, on the same clock."""
        self._watch.mark(self._phase, now)
        self._drop()
        self._reused = False
        self._open()

    # The end

    def _whole(self, done: int, stamped: bool) -> None:
        wire, target, answer = self._connection(), self._target, self._answer
        if answer.keep and not target.close and not wire.pending and self._phase is Phase.TRANSFER:
            self._listen(IN)
            self._wire = None
            self._owner.keep(wire)
        else:
            self._drop()
        wrong = target.checks.wrong(answer.status or 0, answer.body)
        if wrong is None:
            self._end(None, "", done, stamped)
        else:
            self._end(wrong[0], wrong[1], done, stamped)

    def _drop(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            self._reactor.forget(wire.fd)
            wire.close()

    def abandon(self) -> None:
        """End without a sample; the owner is not told."""
        self.ended = True
        self._drop()

    def _end(self, failure: Failure | None, detail: str, done: int | None = None, stamped: bool = False) -> None:
        """Once. Without `done` it is now; after the deadline it is a timeout, at the deadline."""
        now = monotonic_ns()
        done = now if done is None else done
        watch = self._watch
        if failure is Failure.TIMEOUT or done - watch.sent > self._timeout:
            failure, done, stamped = Failure.TIMEOUT, watch.sent + self._timeout, False
            detail = f"no whole answer within {self._timeout / 1e9:g} s: {_DOING[self._phase]}"
        elif not stamped:
            lag = done - max(self._reactor.since, watch.last)
            self._lag += lag if lag > LAG_NOTED_NS else 0
        self._drop()
        watch.mark(self._phase, done)
        self.ended = True
        self._owner.landed(self, self._sample(failure, detail, done, stamped))

    def _sample(self, failure: Failure | None, detail: str, done: int, stamped: bool) -> Sample:
        watch = self._watch
        sent_wall = self.due_wall + watch.sent - self.due_mono
        return Sample(
            contract=self.contract,
            due_ns=self.due_wall,
            sent_ns=sent_wall,
            done_ns=sent_wall + done - watch.sent,
            phases=watch.phases(),
            failure=failure,
            status=self._answer.status,
            size=self._answer.size,
            connection=Connection.REUSE if self._reused else Connection.FRESH,
            stamped=stamped,
            lag_ns=min(self._lag, done - watch.sent),
            detail=self._target.redact(detail) if detail else "",
        )


def _ignore(_flight: Flight, _events: int) -> None:
    """Nothing of a look-up comes by a connection."""


_READY: dict[Phase, Callable[[Flight, int], None]] = {
    Phase.DNS: _ignore,
    Phase.CONNECT: Flight._on_connect,
    Phase.TLS: Flight._on_tls,
    Phase.WRITE: Flight._on_write,
    Phase.WAIT: Flight._on_read,
    Phase.TRANSFER: Flight._on_read,
}
_DOING = {
    Phase.DNS: "still looking up the name",
    Phase.CONNECT: "still connecting",
    Phase.TLS: "still in the TLS handshake",
    Phase.WRITE: "still sending the request",
    Phase.WAIT: "no byte of it came",
    Phase.TRANSFER: "it had begun, and did not end",
}


def _said(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, ssl.SSLError):
        return error.reason or "the handshake failed"
    return error.strerror or str(error)
