"""What a server's messages are, asked of the server itself (grpc.reflection.v1, else v1alpha).

Guarantees: questions and bytes are bounded; what a server does not say ends in `Ended`. No I/O: an answer in, the
next question out.
"""

from collections.abc import Sequence

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

from keeptime.model.sample import Failure
from keeptime.observe.asked import Ended
from keeptime.observe.grpc import protocols
from keeptime.observe.grpc.channel import Reply
from keeptime.observe.grpc.methods import message_of

MOST_BYTES = 8 * 1024 * 1024
MOST_QUESTIONS = 50
_V1 = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
_V1ALPHA = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
_REQUEST = message_of([protocols.reflection()], "grpc.reflection.v1.ServerReflectionRequest")
_RESPONSE = message_of([protocols.reflection()], "grpc.reflection.v1.ServerReflectionResponse")

Question = tuple[str, bytes]
"""A path, and a message."""


class Learning:
    """All files that say what `service` is, by one question after another."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._path = _V1
        self._files: dict[str, FileDescriptorProto] = {}
        self._asked: set[str] = set()
        self._bytes = 0

    @property
    def files(self) -> Sequence[FileDescriptorProto]:
        return tuple(self._files.values())

    def first(self) -> Question:
        return self._path, _REQUEST(file_containing_symbol=self._service).SerializeToString()

    def next(self, reply: Reply) -> Question | None:
        """What to ask after this answer; None: all is known. Raises Ended."""
        if reply.code == "UNIMPLEMENTED" and self._path == _V1:
            self._path = _V1ALPHA
            return self.first()
        if reply.code == "UNIMPLEMENTED":
            raise Ended(
                Failure.PROTOCOL, f"the server has no reflection, which alone tells what {self._service} is"
            )
        if reply.code != "OK" or not reply.messages.found:
            why = f"{reply.code or 'no grpc-status'} {reply.said}".rstrip()
            raise Ended(Failure.PROTOCOL, f"reflection failed: {why}")
        self._take(reply.messages.found[0])
        return self._missing()

    def _take(self, message: bytes) -> None:
        self._bytes += len(message)
        if self._bytes > MOST_BYTES:
            raise Ended(Failure.PROTOCOL, f"reflection gave more than {MOST_BYTES} bytes")
        try:
            answer = _RESPONSE.FromString(message)
            files = [FileDescriptorProto.FromString(each) for each in self._protos(answer)]
        except DecodeError:
            raise Ended(Failure.PROTOCOL, "reflection gave what is no description") from None
        self._files |= {each.name: each for each in files}

    def _protos(self, answer: object) -> Sequence[bytes]:
        error = getattr(answer, "error_response")  # noqa: B009 - its class is made at run time
        if error.error_code:
            raise Ended(
                Failure.PROTOCOL,
                f"reflection does not know {self._service}: {error.error_message[:100]}".rstrip(": "),
            )
        found: Sequence[bytes] = getattr(answer, "file_descriptor_response").file_descriptor_proto  # noqa: B009
        return found

    def _missing(self) -> Question | None:
        needed = [name for each in self._files.values() for name in each.dependency if name not in self._files]
        name = next((each for each in needed if each not in self._asked), None)
        if name is None and needed:
            raise Ended(Failure.PROTOCOL, f"reflection does not give {needed[0][:100]}")
        if name is None:
            return None
        if len(self._asked) >= MOST_QUESTIONS:
            raise Ended(Failure.PROTOCOL, f"reflection names more than {MOST_QUESTIONS} files one by one")
        self._asked.add(name)
        return self._path, _REQUEST(file_by_filename=name).SerializeToString()
