"""One observed request: when it was due, left and ended, where its time went, and how it ended.

Guarantees: phases are non-negative nanoseconds that add up to `done_ns - sent_ns`; a sample that failed says
how; a probe that never left is a `Skipped`, never a sample with an invented latency.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

LATE_NS = 1_000_000
"""A probe that left more than this after its due instant counts its latency from the due instant."""


class Failure(StrEnum):
    """Why a request is bad whatever it took."""

    DNS = "dns"
    REFUSED = "refused"
    TLS = "tls"
    TIMEOUT = "timeout"
    STATUS = "status"
    EXPECTATION = "expectation"
    TOO_LARGE = "too_large"
    PROTOCOL = "protocol"
    STALLED = "stalled"
    """A stream gave no token for longer than the contract allows."""
    STREAM = "stream"
    """A stream said that it failed, was cut off, or held no token."""
    DISCONNECTED = "disconnected"
    """Whoever asked went away before the whole answer: known of real traffic alone."""


class Connection(StrEnum):
    """Whether a probe opens a connection of its own or uses the last one again."""

    FRESH = "fresh"
    REUSE = "reuse"


@dataclass(frozen=True, slots=True)
class Phases:
    """Nanoseconds in each phase; `wait` ends with the first byte, `transfer` with the last.

    A phase that a probe did not reach is 0; the phase in which it failed holds the time until then.
    """

    dns: int = 0
    connect: int = 0
    tls: int = 0
    write: int = 0
    wait: int = 0
    transfer: int = 0

    @property
    def total(self) -> int:
        return self.dns + self.connect + self.tls + self.write + self.wait + self.transfer


PROBE = "probe"
"""The observer of a request that keeptime sent itself."""


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer that came in pieces: nanoseconds since the request was sent.

    `first_token_ns`: None where no token came. `last_token_ns`: of the last one, the first if there is one alone.
    `gaps`: (nanoseconds since the tokens before, how many tokens came at its end), without the first tokens.
    `tokens`: how many there were, as the answer itself says it where it does, else as they were counted.
    `closed_ns`: when the answer ended after the last token; None where that was not waited for, or not seen.
    `merged`: how many reads held several segments with tokens: those share the instant of the last one.
    """

    first_token_ns: int | None
    last_token_ns: int | None = None
    gaps: tuple[tuple[int, int], ...] = ()
    tokens: int = 0
    closed_ns: int | None = None
    merged: int = 0

    def __post_init__(self) -> None:
        if (self.first_token_ns is None) != (self.last_token_ns is None):
            raise ValueError(f"a stream with a first token has a last one: {self}")
        if any(gap < 0 or tokens < 1 for gap, tokens in self.gaps):
            raise ValueError("a gap is not negative and ends with at least one token")

    @property
    def output_token_ns(self) -> float | None:
        """Time per output token after the first; None with fewer than two tokens, never 0."""
        if self.first_token_ns is None or self.last_token_ns is None or self.tokens < 2:
            return None
        return (self.last_token_ns - self.first_token_ns) / (self.tokens - 1)


@dataclass(frozen=True, slots=True)
class Sample:
    """One request that left.

    `due_ns`, `sent_ns`, `done_ns`: Unix nanoseconds; their differences are of the monotonic clock.
    `lag_ns`: the prober's own lag inside this sample (woken later than the kernel had the bytes).
    `stamped`: the end instant is the kernel's, not this program's.
    `connection`: what was really used (a first probe under `reuse` opens one, so it is `fresh`).
    `attributes`: what the contract asks of the answer, by name; one that was not there is absent.
    `tokens`: how many the answer says that it gave; None where the contract asks for none, or the request failed.
    `stream`: when its pieces came; None where it was not asked for as a stream.
    `observer`: who saw it: keeptime's own probe, or the kind of traffic that it stood in.
    `timings`: nanoseconds that the server says it spent, by name (`Server-Timing`). `trace`: its W3C trace id in
    hex, "" where it has none. `headers`: those of the answer that tell who gave it.
    `detail`: for people; what was given and what was expected where it failed, else "".
    """

    contract: str
    due_ns: int
    sent_ns: int
    done_ns: int
    phases: Phases
    failure: Failure | None
    status: int | None
    size: int
    connection: Connection
    stamped: bool
    lag_ns: int
    detail: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    tokens: int | None = None
    stream: Stream | None = None
    observer: str = PROBE
    timings: Mapping[str, int] = field(default_factory=dict)
    trace: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def late(self) -> bool:
        """The prober itself was late: this sample's latency counts from its due instant."""
        return self.sent_ns - self.due_ns > LATE_NS

    @property
    def latency_ns(self) -> int:
        """What counts against a threshold: from the due instant where the prober was late, else from sent."""
        return self.done_ns - (self.due_ns if self.late else self.sent_ns)

    def good(self, threshold_ns: int | None) -> bool:
        """Did it succeed, in at most `threshold_ns`? None: an objective on success alone."""
        return self.failure is None and (threshold_ns is None or self.latency_ns <= threshold_ns)

    def suspect(self, threshold_ns: int | None) -> bool:
        """Could the prober's own lag have made this good sample bad at this threshold?"""
        if threshold_ns is None or self.failure is not None or self.latency_ns <= threshold_ns:
            return False
        return self.done_ns - self.sent_ns - self.lag_ns <= threshold_ns


@dataclass(frozen=True, slots=True)
class Skipped:
    """A slot whose probe did not leave (too many in flight, or keeptime was stopped). Counted, never dropped."""

    contract: str
    due_ns: int
    reason: str
