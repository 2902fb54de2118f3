"""One unary call, and what is made of its answer.

Guarantees: an answer is good only if its gRPC status is OK, there is one message in it, and that is what the
contract expects. Whatever the bytes, nothing is raised but `Broken`, `TooLarge` and `Ended`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.message import Message

from keeptime.contract.probing.serving import HEALTH, INFER
from keeptime.model.sample import Failure
from keeptime.observe.answer import Broken
from keeptime.observe.asked import AtOnce
from keeptime.observe.expect import Bad
from keeptime.observe.grpc.channel import Channel, Reply
from keeptime.observe.grpc.methods import Method, Unfit, as_json
from keeptime.observe.target import Target
from keeptime.observe.timings import timings_of, told_of

SERVING = 1
GRPC_STATUS = "grpc_status"


@dataclass(frozen=True, slots=True)
class Ways:
    """How answers are looked at. `method`: None where nothing is measured; `json`: attributes need the message."""

    target: Target
    method: Method | None
    json: bool

    @property
    def asks_json(self) -> bool:
        checks = self.target.checks
        return self.json or bool(checks.paths or checks.regex or self.target.tokens.place)


class Call(AtOnce):
    """On a connection of its own, which is not kept."""

    def __init__(self, channel: Channel, path: str, message: bytes, ways: Ways, trace: str = "") -> None:
        self.channel, self._ways, self.trace = channel, ways, trace
        self.request = channel.call(path, message)
        self.owed, self.until, self.waits, self.keep = b"", 0, True, False
        self._json: bytes | None = None

    @property
    def reply(self) -> Reply:
        return self.channel.reply

    @property
    def status(self) -> int | None:
        return self.reply.status

    @property
    def size(self) -> int:
        return self.reply.messages.size

    @property
    def begun(self) -> bool:
        return self.reply.status is not None

    def feed(self, data: bytes, _at: int) -> bool:
        self.owed += self.channel.feed(data)
        return self.reply.whole

    def end(self, _at: int) -> None:
        raise Broken("the connection was closed before the call was answered")

    def look(self) -> tuple[Bad | None, int | None]:
        reply = self.reply
        wrong = _wrong_reply(reply)
        method = self._ways.method
        if wrong is not None or method is None:
            return wrong, None
        try:
            message = method.read(reply.messages.found[0])
            if self._ways.asks_json:
                self._json = as_json(message)
        except Unfit as error:
            return (Failure.PROTOCOL, str(error)), None
        wrong = _wrong_message(method.name, message)
        if wrong is not None:
            return wrong, None
        return self._ways.target.look(reply.status or 0, reply.fields, self._json or b"")

    def timings(self) -> Mapping[str, int]:
        return timings_of(self.reply.fields)

    def headers(self) -> Mapping[str, str]:
        return told_of(self.reply.fields)

    def known(self) -> Mapping[str, str]:
        code = self.reply.code
        found = self._ways.target.attributes.of(self.reply.fields, self._json)
        return {**found, GRPC_STATUS: code} if code else found


def _wrong_reply(reply: Reply) -> Bad | None:
    """What is wrong with an answer, whatever its message says."""
    if reply.status != 200:
        return Failure.STATUS, f"HTTP status {reply.status}; expected 200 from a gRPC server"
    kind = reply.fields.get(b"content-type", b"")
    if not kind.startswith(b"application/grpc"):
        return Failure.PROTOCOL, f"the content type is {kind[:60]!r}; expected application/grpc"
    if not reply.code:
        return Failure.PROTOCOL, "the answer ends without a grpc-status"
    if reply.code != "OK":
        return Failure.STATUS, f"{reply.code}: {reply.said}".rstrip(": ")
    count = len(reply.messages.found)
    if count != 1 or reply.messages.partial:
        cut = ", the last one cut off" if reply.messages.partial else ""
        return Failure.PROTOCOL, f"{count} messages{cut}; expected one"
    return None


def _wrong_message(method: str, message: Message) -> Bad | None:
    """What is wrong with a message of a protocol that is known."""
    if method == HEALTH:
        status = getattr(message, "status")  # noqa: B009 - its class is made at run time
        if status != SERVING:
            names = message.DESCRIPTOR.fields_by_name["status"].enum_type.values_by_number
            said = names[status].name if status in names else str(status)
            return Failure.EXPECTATION, f"its health is {said}; expected SERVING"
    if method == INFER and not getattr(message, "outputs"):  # noqa: B009
        return Failure.EXPECTATION, "the answer holds no outputs"
    return None
