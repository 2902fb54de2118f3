"""One receiver's inbox: a request in, the answer to give out; each new message handed over once.

Guarantees: a message is kept as seen only after `handle` returned, so what it did not finish comes again; messages
are handled one at a time; what is sent in raises nothing. What `handle` raises goes to the caller. No framework.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

from keeptime import clock
from keeptime.consumer.gaps import Courses, Gap, silence
from keeptime.consumer.heartbeat import HEARTBEAT, Heartbeat, read_heartbeat
from keeptime.consumer.notice import Notice, is_notice, read_notice
from keeptime.consumer.numbers import Numbers, read_numbers
from keeptime.consumer.pulse import Pulse, Silent
from keeptime.consumer.seen import Seen, SeenInMemory
from keeptime.consumer.signing import Key
from keeptime.consumer.verify import Genuine, Headers, Verifier
from keeptime.errors import MessageRefused

STATUS = {"malformed": 400, "signature": 401, "stale": 400, "too_large": 413}


@dataclass(frozen=True, slots=True)
class Received:
    """A new message. `notice`: None where its `type` is not about an objective; then look at `fields`.

    `gap`: what did not come before it, as far as can be known. `remark`: what else its numbers show, as a sentence
    or "": that it comes late and fills a gap, or that the sender's numbers went back. `heartbeat`: of a sign of
    life, which is handed over only where it shows that something was lost.
    """

    id: str
    type: str
    sent: int
    notice: Notice | None
    gap: Gap | None
    fields: Mapping[str, object]
    heartbeat: Heartbeat | None = None
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer, and what came of it: a new message, a repeat, a refusal, or a sign of life."""

    status: int
    text: str
    received: Received | None = None
    refused: MessageRefused | None = None
    heartbeat: Heartbeat | None = None

    @property
    def repeat(self) -> bool:
        return self.received is None and self.refused is None and self.heartbeat is None


class Inbox:
    """Verifies, drops repeats, looks for gaps, hands over. May be used from several threads."""

    def __init__(
        self,
        verifier: Verifier | str | Iterable[str | Key],
        handle: Callable[[Received], None],
        seen: Seen | None = None,
    ) -> None:
        """`verifier`: one, or the secret or keys for one."""
        self.verifier = verifier if isinstance(verifier, Verifier) else Verifier(verifier)
        self._handle = handle
        self._seen: Seen = SeenInMemory() if seen is None else seen
        self._courses = Courses()
        self._pulse = Pulse()
        self._lock = Lock()
        self._last_heard: float | None = None

    def take(self, headers: Headers, body: bytes, now: float | None = None) -> Answer:
        """The answer to one request. `now`: Unix seconds; None: this machine's clock.

        Raises what `handle` and `seen` raise: answer 5xx then, and the message comes again.
        """
        at = clock.wall_ns() / 1e9 if now is None else now
        try:
            genuine = self.verifier.verify(headers, body, at)
            notice = read_notice(genuine.fields) if is_notice(genuine.type) else None
            beat = read_heartbeat(genuine.fields) if genuine.type == HEARTBEAT else None
            numbers = None if beat is not None else read_numbers(genuine.fields)
        except MessageRefused as error:
            return Answer(STATUS[error.why], str(error), refused=error)
        with self._lock:
            self._last_heard = max(at, self._last_heard or at)
            if beat is not None:
                return self._feel(genuine, beat, at)
            if self._seen.has(genuine.id):
                self._courses.move(genuine.id, numbers, None, self._seen.has)
                return Answer(200, "known already")
            return Answer(200, "taken", self._hand_over(genuine, notice, numbers, at))

    def silence(self, now: float, within: float, started: float) -> str | None:
        """The sentence that nothing genuine came for more than `within` seconds, or None.

        `started`: when you began to listen, which counts until the first message. Unix seconds.
        """
        return silence(started if self._last_heard is None else self._last_heard, now, within)

    def silent(self, now: float) -> tuple[Silent, ...]:
        """Contracts whose heartbeats came and then stopped, with the sentence of each. Unix seconds."""
        with self._lock:
            return self._pulse.silent(now)

    def _feel(self, genuine: Genuine, beat: Heartbeat, at: float) -> Answer:
        """A sign of life. It is not kept among what was seen: only a newer one counts."""
        if not self._pulse.newer(beat):
            return Answer(200, "heard already", heartbeat=beat)
        gap, received = self._courses.tail(beat, self._seen.has), None
        if gap is not None:
            received = Received(genuine.id, genuine.type, genuine.sent, None, gap, genuine.fields, beat)
            self._handle(received)
        self._courses.move_to(beat)
        self._pulse.feel(beat, at)
        return Answer(200, "heard", received, heartbeat=beat)

    def _hand_over(self, genuine: Genuine, notice: Notice | None, numbers: Numbers | None, at: float) -> Received:
        gap, remark = self._courses.look(numbers, notice, self._seen.has)
        received = Received(genuine.id, genuine.type, genuine.sent, notice, gap, genuine.fields, remark=remark)
        self._handle(received)
        self._seen.keep(genuine.id, at)
        self._courses.move(genuine.id, numbers, notice, self._seen.has)
        return received
