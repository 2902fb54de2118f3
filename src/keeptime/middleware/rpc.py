"""How a gRPC call ended and what it is known by; for both kinds of server.

Guarantees: a status that says that the server is at fault is a failure, one that says that the caller is counts
neither way, as with HTTP; a call that its client gave up when its time was over is a timeout, before that a
disconnect. Of gRPC it uses the names of statuses alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import grpc

from keeptime.middleware.call import Call
from keeptime.middleware.late import Stacks
from keeptime.middleware.late.calls import begun
from keeptime.middleware.layout import Labels
from keeptime.middleware.recorder import Recorder
from keeptime.middleware.routes import PROBE

FAILURES = {
    grpc.StatusCode.UNKNOWN: "error",
    grpc.StatusCode.DEADLINE_EXCEEDED: "timeout",
    grpc.StatusCode.UNIMPLEMENTED: "error",
    grpc.StatusCode.INTERNAL: "error",
    grpc.StatusCode.UNAVAILABLE: "error",
    grpc.StatusCode.DATA_LOSS: "error",
    grpc.StatusCode.CANCELLED: "disconnect",
}
"""Those that OpenTelemetry holds to be errors of a server, and a call that was given up."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}

SHARE, LEAST = 0.02, 0.01
"""A client's clock rings a little before the server's: a call that is given up with no more than this part of its
time left, or no more than so many seconds, has run out of time."""

Metadata = Iterable[tuple[str, str | bytes]] | None


@dataclass(frozen=True, slots=True)
class Naming:
    """What calls are known by. `consumer_header`, `model_version_header`: keys of the call's metadata."""

    recorder: Recorder
    model: str = ""
    model_version: str = ""
    model_version_header: str | None = None
    consumer_header: str | None = None
    stacks: Stacks | None = None

    def rpc(self, method: str, metadata: Metadata, came: float) -> "Rpc | None":
        """One that came at this instant of `time.perf_counter`; None of keeptime's own probes, which it counts."""
        sent = {str(key): value for key, value in metadata or () if isinstance(value, str)}
        if sent.get("user-agent") == PROBE:
            return None
        version = sent.get(_key(self.model_version_header)) or self.model_version
        labels = Labels(method, self.model, version, sent.get(_key(self.consumer_header), ""))
        return Rpc(self.recorder, labels, came, sent.get("traceparent"), self.stacks)


class Rpc:
    """One call under way: in flight once it has begun, and counted from when it came."""

    __slots__ = ("_allowed", "_came", "_labels", "_open", "_recorder", "_stacks", "_trace", "chunk")

    def __init__(
        self, recorder: Recorder, labels: Labels, came: float, trace: str | None, stacks: Stacks | None = None
    ) -> None:
        self._recorder, self._labels, self._came, self._trace = recorder, labels, came, trace
        self._stacks = stacks

    def begin(self, context: Any) -> None:
        """A thread or a task has it now."""
        self._allowed = context.time_remaining()
        call = begun(self._recorder, self._labels, self._stacks)
        call.began = self._came
        self.chunk = call.chunk
        self._open: list[Call] = [call]

    def end(self, context: Any, *, given_up: bool = False, raised: bool = False, stream: bool = False) -> None:
        """Count it, once, whichever thread is first. Without a status that says more, what raised is an error."""
        try:
            call = self._open.pop()
        except IndexError:
            return
        code = code_of(context)
        failure = FAILURES.get(code) if code is not None else None
        if failure is None and given_up:
            failure = self._given_up(context)
        elif failure is None and raised and code in (None, grpc.StatusCode.OK):
            failure = "error"
        theirs = failure is None and code not in (None, grpc.StatusCode.OK)
        call.end(self._labels, failure, stream=stream, trace=self._trace, client_error=theirs)

    def _given_up(self, context: Any) -> str:
        left = context.time_remaining()
        if left is None or self._allowed is None:
            return "disconnect"
        return "timeout" if left <= max(self._allowed * SHARE, LEAST) else "disconnect"


def code_of(context: Any) -> grpc.StatusCode | None:
    """The status that the handler has set, if it has; some contexts cannot tell."""
    told = getattr(context, "code", None)
    code = told() if told is not None else None
    return _CODES.get(code) if isinstance(code, int) else code


def _key(name: str | None) -> str:
    return "" if name is None else name.lower()
