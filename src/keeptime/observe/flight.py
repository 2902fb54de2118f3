"""One probe on its way: from leaving to the last byte of the answer, or to its deadline.

Guarantees: ends exactly once, with a Sample, whatever the other side does; its phases add up to done − sent; a
timeout is done at exactly sent + timeout; an answer whose last byte came after the deadline is a timeout, one that
came before it is not, however late this program looked. The kernel stamps what comes in, where it can. A bug
ends it without a sample. Knows nothing of schedules and counts.
"""

import ssl

from keeptime.clock import monotonic_ns
from keeptime.model.sample import LATE_NS, Failure
from keeptime.observe.answer import Broken, TooLarge
from keeptime.observe.asked import Ended, Unsent, ending
from keeptime.observe.dial import Dial
from keeptime.observe.faults import broken_off, bug, out_of_time
from keeptime.observe.outcome import End, sample_of
from keeptime.observe.owner import OVERDUE_MARGIN_NS, Owner
from keeptime.observe.phases import Phase, Stopwatch
from keeptime.observe.pieces import Pieces
from keeptime.observe.reactor import IN, OUT, Reactor
from keeptime.observe.resolve import Names
from keeptime.observe.stamps import LAG_NOTED_NS
from keeptime.observe.target import Target
from keeptime.observe.wire import Wire


class Flight:
    """`due_wall`, `due_mono`: the same instant on both clocks. `timeout`: nanoseconds."""

    __slots__ = (
        "_asked", "_deadline", "_dial", "_events", "_lag", "_names", "_offset", "_overdue_at", "_owner",
        "_pieces", "_reactor", "_received", "_reused", "_stamps", "_target", "_timeout", "_tokens", "_watch",
        "_wire", "contract", "due_mono", "due_wall", "ended", "wake_at",
    )  # fmt: skip

    def __init__(
        self,
        reactor: Reactor,
        names: Names,
        owner: "Owner[Flight]",
        target: Target,
        contract: str,
        timeout: int,
        stamps: bool,
    ) -> None:
        self._reactor, self._names, self._owner, self._target = reactor, names, owner, target
        self.contract, self._timeout, self._stamps = contract, timeout, stamps
        self.due_wall = self.due_mono = self._deadline = self._overdue_at = self.wake_at = 0
        self._asked = target.ask()
        self._pieces = Pieces(self._asked.piece)
        self._watch = Stopwatch()
        self._dial: Dial | None = None
        self._wire: Wire | None = None
        self._tokens: int | None = None
        self._events = self._lag = self._offset = 0
        self._received = self._reused = self.ended = False

    def start(self, due_wall: int, due_mono: int, overdue_after: int | None) -> None:
        """Leave now. `overdue_after`: nanoseconds after which every threshold is exceeded; None: no such thing."""
        self.due_wall, self.due_mono = due_wall, due_mono
        self._offset = self._reactor.bracket.offset
        wire = self._owner.idle_wire()
        if wire is not None:
            self._use_again(wire)
        else:
            self._connect()
        if self.ended:
            return
        sent = self._watch.sent
        self._deadline = sent + self._timeout
        if overdue_after is not None:
            start = due_mono if sent - due_mono > LATE_NS else sent
            self._overdue_at = start + overdue_after + OVERDUE_MARGIN_NS
        self.set_timer()

    def set_timer(self) -> None:
        """Have `due` called at the next instant at which something must be done."""
        wake = min(self._deadline, self._overdue_at or self._deadline, self._asked.until or self._deadline)
        if self._dial is not None and 0 < self._dial.try_until < wake:
            wake = self._dial.try_until
        self.wake_at = wake
        self._owner.wake_by(wake)

    def due(self, now: int) -> None:
        """An instant of this probe has come. What came in before it still counts."""
        if not self.ended and self._wire is not None:
            self.ready(IN)
        if self.ended:
            return
        if 0 < self._asked.until <= min(now, self._deadline):
            self._expire()
            return
        if now >= self._deadline:
            self._end(Failure.TIMEOUT, "", self._deadline)
            return
        if self._overdue_at and now >= self._overdue_at:
            self._overdue_at = 0
            if self._asked.done(now) == now:  # not of a stream that goes on: its last token may have come in time
                self._owner.overdue(self)
        if self._dial is not None and 0 < self._dial.try_until <= now:
            self._dial.next()
        if not self.ended:
            self.set_timer()

    # Getting a connection

    def _connect(self) -> None:
        request, watch = self._asked.request, self._watch
        how = (self._timeout, self._stamps)
        self._dial = Dial(self._reactor, self._names, self._target, request, watch, self, *how)
        self._dial.begin()

    def unconnected(self, failure: Failure | None, why: str) -> None:
        """The dial has failed: the end."""
        self._dial = None
        if failure is None:
            self.abandon()
            self._owner.unsent(self, why)
        else:
            self._end(failure, why)

    def connected(self, wire: Wire, watched: int, lag: int) -> None:
        """There is a connection, and the request is queued or has gone."""
        self._dial, self._wire, self._events = None, wire, watched
        self._lag += lag
        if watched:
            self._reactor.hand_over(wire.fd, self)
        if not self._asked.waits:
            self._end(None, "", self._watch.last)
            return
        try:
            self._after_flush(not wire.pending or wire.flush())
        except OSError as error:
            self._broke(error)

    def _use_again(self, wire: Wire) -> None:
        self._wire, self._reused, self._events = wire, True, IN
        self._reactor.hand_over(wire.fd, self)
        self._watch.leave(monotonic_ns())
        self._watch.phase = Phase.WRITE
        try:
            wire.write(self._asked.request)
            self._after_flush(wire.flush())
        except OSError as error:
            self._broke(error)

    # On a connection

    def _connection(self) -> Wire:
        assert self._wire is not None
        return self._wire

    def _listen(self, events: int) -> None:
        if events != self._events:
            self._events = events
            self._reactor.watch(self._connection().fd, self, events)

    def _after_flush(self, flushed: bool) -> None:
        if flushed and self._watch.phase is Phase.WRITE:
            self._watch.mark(monotonic_ns())
            self._watch.phase = Phase.WAIT
        self._listen(IN if flushed else IN | OUT)

    def ready(self, events: int) -> None:
        """The connection can be read or written."""
        if self.ended:
            return
        try:
            if self._watch.phase is Phase.WRITE:
                self._on_write(events)
            else:
                self._on_read()
        except OSError as error:
            self._broke(error)

    def _on_write(self, events: int) -> None:
        if events & ~OUT:
            self._on_read()
        if not self.ended and self._watch.phase is Phase.WRITE:
            self._after_flush(self._connection().flush())

    def _on_read(self) -> None:
        self._read()
        while self._pieces.more and not self.ended:
            self._read()

    def _read(self) -> None:
        wire = self._connection()
        got = self._pieces.read(wire)
        now = monotonic_ns()
        if self._watch.phase is not Phase.WRITE and (wire.pending or self._events & OUT):
            self._flush_late()
        if got is None:
            return
        if not got.data:
            self._closed(now)
            return
        at = self._reactor.bracket.believed(got.stamp, self._offset, self._watch.sent, now)
        instant = now
        if at is not None:
            instant = at
            self._reactor.note_lag(now - at)
        if self._watch.phase is not Phase.TRANSFER:
            self._watch.mark(instant)
            self._watch.phase, self._received = Phase.TRANSFER, True
        self._take(got.data, instant, at is not None)

    def _take(self, data: bytes, instant: int, stamped: bool) -> None:
        asked = self._asked
        try:
            whole = asked.feed(data, instant)
        except (Broken, TooLarge, Ended) as error:
            self._end(*ending(error, instant), stamped)
        except Unsent as why:
            self.unconnected(None, str(why))
        else:
            if asked.owed:
                owed, asked.owed = asked.owed, b""
                self._connection().write(owed)
                self._flush_late()
            if not asked.begun:
                self._watch.phase = Phase.WAIT
            if whole:
                self._whole(instant, stamped)
            elif asked.until and asked.until < self.wake_at:
                self.set_timer()

    def _flush_late(self) -> None:
        """Send what is to be said after the request."""
        self._listen(IN if self._connection().flush() else IN | OUT)

    def _closed(self, now: int) -> None:
        """The other side has closed: the end of the answer, of patience, or of a connection that had been idle."""
        if self._reused and not self._received:
            return self._once_more(now)
        try:
            self._asked.end(now)
        except (Broken, Ended) as error:
            self._end(*ending(error, now))
        else:
            self._whole(now, stamped=False)

    def _broke(self, error: OSError) -> None:
        if self._reused and not self._received and not isinstance(error, ssl.SSLError):
            self._once_more(monotonic_ns())
        else:
            self._end(*broken_off(error, self._watch.phase))

    def _once_more(self, now: int) -> None:
        """A kept connection was closed before it answered anything: use a fresh one, once, on the same clock."""
        self._watch.mark(now)
        self._drop()
        self._reused = False
        self._connect()

    # The end

    def _whole(self, done: int, stamped: bool) -> None:
        wire, asked = self._connection(), self._asked
        if asked.keep and not self._target.close and not wire.pending and self._watch.phase is Phase.TRANSFER:
            self._listen(IN)
            self._wire = None
            self._owner.keep(wire)
        else:
            self._drop()
        self._look(done, stamped)

    def _look(self, done: int, stamped: bool) -> None:
        """Whole: was it good? A stream counts as done with its last token, in time or not by when it was whole."""
        wrong, self._tokens = self._asked.look()
        failure, detail = wrong or (None, "")
        if done - self._watch.sent <= self._timeout:
            done = self._asked.done(done)
        self._end(failure, detail, done, stamped)

    def _expire(self) -> None:
        """Patience with this answer has ended before the timeout."""
        until, wrong = self._asked.until, self._asked.expired()
        self._drop()
        if wrong is None:
            self._look(until, stamped=False)
        else:
            self._end(*wrong, until)

    def _drop(self) -> None:
        if self._dial is not None:
            self._dial.drop()
            self._dial = None
        wire, self._wire = self._wire, None
        if wire is not None:
            self._reactor.forget(wire.fd)
            wire.close()

    def failed(self, error: Exception) -> None:
        """A bug of keeptime has ended it: nothing is known of the endpoint."""
        self.abandon()
        self._owner.unsent(self, bug(error))

    def abandon(self) -> None:
        """End without a sample; the owner is not told."""
        self.ended = True
        self._drop()

    def _end(self, failure: Failure | None, detail: str, done: int | None = None, stamped: bool = False) -> None:
        """Once. Without `done` it is now; after the deadline it is a timeout, at the deadline."""
        done = monotonic_ns() if done is None else done
        watch = self._watch
        if failure is Failure.TIMEOUT or done - watch.sent > self._timeout:
            failure, done, stamped = Failure.TIMEOUT, watch.sent + self._timeout, False
            detail = out_of_time(watch.phase, self._timeout)
        elif not stamped:
            lag = done - max(self._reactor.since, watch.last)
            self._lag += lag if lag > LAG_NOTED_NS else 0
        self._drop()
        watch.mark(done)
        self.ended = True
        end = End(failure, self._target.redact(detail) if detail else "", done, stamped, self._lag, self._tokens)
        due = (self.due_wall, self.due_mono)
        self._owner.landed(self, sample_of(self.contract, due, watch, self._asked, self._reused, end))
