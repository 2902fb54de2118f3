"""The messages of Prometheus' protobuf exposition (package io.prometheus.client), as far as they are read.

Guarantees: numbers and types are those of the published metrics.proto; fields that are not read are left out, and
are skipped by the parser.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "io.prometheus.client"
_TYPES = {"string": 9, "double": 1, "uint64": 4, "int64": 3, "int32": 5, "uint32": 13, "sint32": 17, "sint64": 18}
"""FieldDescriptorProto.Type by its name in a .proto file."""
_OPTIONAL, _REPEATED, _MESSAGE = 1, 3, 11

_FIELDS: dict[str, str] = {
    "Timestamp": "int64 seconds 1, int32 nanos 2",
    "LabelPair": "string name 1, string value 2",
    "Plain": "double value 1",
    "Counter": "double value 1, Timestamp created_timestamp 3",
    "Summary": "uint64 sample_count 1, Timestamp created_timestamp 4",
    "Bucket": "uint64 cumulative_count 1, double cumulative_count_float 4, double upper_bound 2",
    "BucketSpan": "sint32 offset 1, uint32 length 2",
    "Histogram": (
        "uint64 sample_count 1, double sample_count_float 4, *Bucket bucket 3, Timestamp created_timestamp 15, "
        "sint32 schema 5, double zero_threshold 6, uint64 zero_count 7, double zero_count_float 8, "
        "*sint64 negative_delta 10, *double negative_count 11, *BucketSpan positive_span 12, "
        "*sint64 positive_delta 13, *double positive_count 14"
    ),
    "Metric": "*LabelPair label 1, Plain gauge 2, Counter counter 3, Summary summary 4, Plain untyped 5, "
    "Histogram histogram 7",
    "MetricFamily": "string name 1, int32 type 3, *Metric metric 4",
}
"""`*`: repeated. An enum is read as the int32 that it is on the wire."""


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="keeptime/metrics.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for each in fields.split(", "):
            kind, field, number = each.split(" ")
            label = _REPEATED if kind.startswith("*") else _OPTIONAL
            kind = kind.removeprefix("*")
            if kind in _TYPES:
                message.field.add(name=field, number=int(number), label=label, type=_TYPES[kind])
            else:
                reference = f".{_PACKAGE}.{kind}"
                message.field.add(name=field, number=int(number), label=label, type=_MESSAGE, type_name=reference)
    return file


def _message(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())

MetricFamily: Any = _message("MetricFamily")
"""A class of messages; protobuf has no static types for one that is made at run time."""
