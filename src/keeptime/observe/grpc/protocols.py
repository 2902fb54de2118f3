"""The protocols whose messages are known without asking: health, reflection, and the Open Inference Protocol v2.

Guarantees: field names and numbers are those that the protocols publish. Knows no connection.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

_SCALARS = {
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "float": FieldDescriptorProto.TYPE_FLOAT,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "string": FieldDescriptorProto.TYPE_STRING,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
}
Messages = Mapping[str, Sequence[str]]
"""Fields of each message: number, type, name; a type may be `repeated` or a `map` from texts."""

_HEALTH: Messages = {
    "HealthCheckRequest": ["1 string service"],
    "HealthCheckResponse": ["1 ServingStatus status"],
}
_REFLECTION: Messages = {
    "ServerReflectionRequest": ["1 string host", "3 string file_by_filename", "4 string file_containing_symbol"],
    "ServerReflectionResponse": [
        "4 FileDescriptorResponse file_descriptor_response",
        "7 ErrorResponse error_response",
    ],
    "FileDescriptorResponse": ["1 repeated bytes file_descriptor_proto"],
    "ErrorResponse": ["1 int32 error_code", "2 string error_message"],
}
_INFERENCE: Messages = {
    "InferParameter": [
        "1 bool bool_param",
        "2 int64 int64_param",
        "3 string string_param",
        "4 double double_param",
        "5 uint64 uint64_param",
    ],
    "InferTensorContents": [
        "1 repeated bool bool_contents",
        "2 repeated int32 int_contents",
        "3 repeated int64 int64_contents",
        "4 repeated uint32 uint_contents",
        "5 repeated uint64 uint64_contents",
        "6 repeated float fp32_contents",
        "7 repeated double fp64_contents",
        "8 repeated bytes bytes_contents",
    ],
    "InferInputTensor": [
        "1 string name",
        "2 string datatype",
        "3 repeated int64 shape",
        "4 map InferParameter parameters",
        "5 InferTensorContents contents",
    ],
    "InferOutputTensor": [
        "1 string name",
        "2 string datatype",
        "3 repeated int64 shape",
        "4 map InferParameter parameters",
        "5 InferTensorContents contents",
    ],
    "InferRequestedOutputTensor": ["1 string name", "2 map InferParameter parameters"],
    "ModelInferRequest": [
        "1 string model_name",
        "2 string model_version",
        "3 string id",
        "4 map InferParameter parameters",
        "5 repeated InferInputTensor inputs",
        "6 repeated InferRequestedOutputTensor outputs",
        "7 repeated bytes raw_input_contents",
    ],
    "ModelInferResponse": [
        "1 string model_name",
        "2 string model_version",
        "3 string id",
        "4 map InferParameter parameters",
        "5 repeated InferOutputTensor outputs",
        "6 repeated bytes raw_output_contents",
    ],
    "ServerLiveRequest": [],
    "ServerLiveResponse": ["1 bool live"],
    "ServerReadyRequest": [],
    "ServerReadyResponse": ["1 bool ready"],
    "ModelReadyRequest": ["1 string name", "2 string version"],
    "ModelReadyResponse": ["1 bool ready"],
}
_STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")


def health() -> FileDescriptorProto:
    """grpc.health.v1."""
    file = _file("grpc.health.v1", _HEALTH, "Health", {"Check": "HealthCheck"})
    statuses = file.enum_type.add(name="ServingStatus")
    for number, name in enumerate(_STATUSES):
        statuses.value.add(name=name, number=number)
    status = file.message_type[1].field[0]
    status.type = FieldDescriptorProto.TYPE_ENUM
    return file


def reflection() -> FileDescriptorProto:
    """grpc.reflection.v1, as far as keeptime asks; v1alpha has the same messages."""
    return _file("grpc.reflection.v1", _REFLECTION)


def inference() -> FileDescriptorProto:
    """The Open Inference Protocol v2: inference, and who is ready."""
    methods = {each: each for each in ("ServerLive", "ServerReady", "ModelReady", "ModelInfer")}
    return _file("inference", _INFERENCE, "GRPCInferenceService", methods)


def _file(
    package: str, messages: Messages, service: str = "", methods: Mapping[str, str] = MappingProxyType({})
) -> FileDescriptorProto:
    """`methods`: by name, what its messages' names begin with."""
    file = FileDescriptorProto(name=f"keeptime/{package}.proto", package=package, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for each in fields:
            _add_field(message, package, each)
    if service:
        of = file.service.add(name=service)
        for name, stem in methods.items():
            types = (f".{package}.{stem}Request", f".{package}.{stem}Response")
            of.method.add(name=name, input_type=types[0], output_type=types[1])
    return file


def _add_field(message: DescriptorProto, package: str, said: str) -> None:
    number, *how, of, name = said.split()
    field = message.field.add(name=name, number=int(number))
    field.label = FieldDescriptorProto.LABEL_REPEATED if how else FieldDescriptorProto.LABEL_OPTIONAL
    if how == ["map"]:
        entry = message.nested_type.add(name="".join(map(str.capitalize, name.split("_"))) + "Entry")
        entry.options.map_entry = True
        _add_field(entry, package, "1 string key")
        _add_field(entry, package, f"2 {of} value")
        of = f"{message.name}.{entry.name}"
    if of in _SCALARS:
        field.type = _SCALARS[of]
    else:
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{package}.{of}"
