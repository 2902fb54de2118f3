"""Inputs of a model in the words of the Open Inference Protocol v2: name, shape, datatype, data.

Guarantees: data that is accepted has as many values as the shape asks for, each of the datatype.
"""

import json
import math
from dataclasses import dataclass
from enum import StrEnum

from keeptime.contract.expectations import Json
from keeptime.contract.kinds import Choice, Text, Whole
from keeptime.contract.lists import ListOf
from keeptime.contract.nodes import Plain
from keeptime.contract.shapes import Field, Row, Table

MOST_VALUES = 1_000_000


class Datatype(StrEnum):
    """The tensor data types of the protocol."""

    BOOL = "BOOL"
    UINT8 = "UINT8"
    UINT16 = "UINT16"
    UINT32 = "UINT32"
    UINT64 = "UINT64"
    INT8 = "INT8"
    INT16 = "INT16"
    INT32 = "INT32"
    INT64 = "INT64"
    FP16 = "FP16"
    FP32 = "FP32"
    FP64 = "FP64"
    BYTES = "BYTES"


@dataclass(frozen=True, slots=True)
class Tensor:
    """`data`: JSON of a flat list, row by row."""

    name: str
    shape: tuple[int, ...]
    datatype: Datatype
    data: str


NAME = Field("name", Text("the name of an input"), "The input's name.", required=True)
SHAPE = Field(
    "shape",
    ListOf(Whole(1, MOST_VALUES), "whole numbers", most=16),
    "How many values there are in each dimension.",
    required=True,
)
DATATYPE = Field("datatype", Choice(Datatype), "What a value is.", required=True)
DATA = Field(
    "data", Json("a list of values"), "The values, row by row: a list, or lists within each other.", required=True
)


def _tensor(row: Row) -> Tensor:
    shape, datatype = row.need(SHAPE), row.need(DATATYPE)
    values, wrong = _flat(row.need(DATA)), ""
    if len(values) != math.prod(shape):
        sides = " × ".join(map(str, shape))
        wrong = f"{len(values):,} values, but the shape {sides} has {math.prod(shape):,}"
    else:
        index = next((at for at, each in enumerate(values) if not _fits(each, datatype)), None)
        if index is not None:
            shown = json.dumps(values[index], ensure_ascii=False)[:40]
            wrong = f"value {index + 1} is {shown}; expected one of datatype {datatype}"
    if wrong:
        raise row.report.spoil(row.place_of(DATA), "bad-tensor", f"{row.what}.data: {wrong}")
    return Tensor(row.need(NAME), shape, datatype, json.dumps(values, ensure_ascii=False, separators=(",", ":")))


def _flat(value: Plain) -> list[Plain]:
    """A tensor's values, row by row; one value alone is itself."""
    if not isinstance(value, list):
        return [value]
    return [inner for each in value for inner in _flat(each)]


def _fits(value: Plain, datatype: Datatype) -> bool:
    if datatype is Datatype.BYTES:
        return isinstance(value, str)
    if datatype is Datatype.BOOL or isinstance(value, bool):
        return datatype is Datatype.BOOL and isinstance(value, bool)
    if datatype.startswith("FP"):
        return isinstance(value, int | float)
    if not isinstance(value, int):
        return False
    bits = int(datatype.lstrip("UINT"))
    low, high = (0, 1 << bits) if datatype.startswith("U") else (-1 << bits - 1, 1 << bits - 1)
    return low <= value < high


INPUT_TABLE = Table("input", "One input of the model.", (NAME, SHAPE, DATATYPE, DATA), _tensor)
INPUTS = Field(
    "inputs",
    ListOf(INPUT_TABLE, "inputs", most=50),
    "Kinds oip and grpc: what the model is given (Open Inference Protocol v2).",
)
