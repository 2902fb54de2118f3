"""The fields of `observe: - push:`: requests that a program posts to keeptime."""

from dataclasses import dataclass

from keeptime.contract.kinds import Text
from keeptime.contract.shapes import Field, Row, Table
from keeptime.contract.traffic.source import Traffic
from keeptime.contract.traffic.written import Terms, given


@dataclass(frozen=True, slots=True)
class Push(Traffic):
    """Requests that a program posts to keeptime. `source`: "" for any."""

    source: str = ""


SOURCE = Field("source", Text(), "Only what comes under this name.", default="any")


def _push(row: Row) -> Traffic:
    return Push("push", row.get(SOURCE, ""))


PUSH_TABLE = Table("push", "Take requests that a program posts to keeptime.", (SOURCE,), _push)
PUSH: Field[Traffic] = Field("push", PUSH_TABLE, "Take requests that a program posts to keeptime.")


def written(one: Push) -> Terms:
    return given(source=one.source)
