"""A unary method: its path, the bytes of its request, and what is read from the bytes of its answer.

Guarantees: built from descriptors, wherever they come from; whatever the bytes, nothing is raised but `Unfit`.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message


class Unfit(Exception):
    """There is no such method, or this is no message of it."""


@dataclass(frozen=True, slots=True)
class Method:
    """`name`: SERVICE/METHOD."""

    name: str
    request: type[Message]
    answer: type[Message]

    @property
    def path(self) -> str:
        return f"/{self.name}"

    def written(self, request: object) -> bytes:
        """The bytes of a request that is given as JSON. Raises Unfit."""
        try:
            return bytes(json_format.ParseDict(request, self.request()).SerializeToString())
        except (json_format.ParseError, TypeError, ValueError) as error:
            why = str(error).splitlines()[0][:150]
            raise Unfit(f"the request is no {self.request.DESCRIPTOR.full_name}: {why}") from None

    def read(self, data: bytes) -> Message:
        """Raises Unfit."""
        try:
            return self.answer.FromString(data)
        except (DecodeError, ValueError, RuntimeError):
            raise Unfit(f"the answer is no {self.answer.DESCRIPTOR.full_name}") from None


def as_json(message: Message) -> bytes:
    """The message as JSON, with the names that its definition has. Raises Unfit."""
    try:
        found = json_format.MessageToDict(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
    except (TypeError, ValueError, json_format.Error) as error:
        raise Unfit(f"the answer cannot be said as JSON: {str(error)[:100]}") from None
    return json.dumps(found).encode()


def method_of(files: Iterable[FileDescriptorProto], name: str) -> Method:
    """The method of this name. Raises Unfit."""
    pool, service, method = pool_of(files), *name.split("/")
    try:
        found = pool.FindServiceByName(service).methods_by_name.get(method)
    except KeyError:
        raise Unfit(f"there is no service {service}") from None
    except (TypeError, ValueError) as error:
        raise Unfit(f"the descriptors of {service} do not fit together: {str(error)[:100]}") from None
    if found is None:
        raise Unfit(f"{service} has no method {method}")
    if found.client_streaming or found.server_streaming:
        raise Unfit(f"{name} is no unary method; streams cannot be probed")
    return Method(name, _class(found.input_type), _class(found.output_type))


def message_of(files: Iterable[FileDescriptorProto], name: str) -> type[Message]:
    return _class(pool_of(files).FindMessageTypeByName(name))


def pool_of(files: Iterable[FileDescriptorProto]) -> DescriptorPool:
    """A pool of these alone: names of one server are not those of another. Raises Unfit."""
    pool = DescriptorPool()
    for each in _in_order(list(files)):
        try:
            pool.Add(each)
        except (TypeError, ValueError) as error:
            raise Unfit(f"{each.name} does not fit: {str(error)[:100]}") from None
    return pool


def _in_order(files: Sequence[FileDescriptorProto]) -> list[FileDescriptorProto]:
    """Each after those that it needs."""
    known = {each.name: each for each in files}
    done: dict[str, FileDescriptorProto] = {}
    stack = [(name, False) for name in known]
    seen: set[str] = set()
    while stack:
        name, ready = stack.pop()
        if ready:
            done[name] = known[name]
        elif name in known and name not in seen:
            seen.add(name)
            stack.append((name, True))
            stack += [(each, False) for each in known[name].dependency]
    return list(done.values())


def _class(descriptor: Descriptor) -> type[Message]:
    found: type[Message] = message_factory.GetMessageClass(descriptor)
    return found
