"""The fields of `observe: - push:`: requests that a program posts to keeptime."""

from dataclasses import dataclass

from keeptime.contract.given import Terms, given
from keeptime.contract.kinds import Text
from keeptime.contract.shapes import Field, Row, Table
from keeptime.contract.traffic.bare import OrNothing
from keeptime.contract.traffic.source import Traffic


@dataclass(frozen=True, slots=True)
class Push(Traffic):
    """Requests that a program posts to keeptime. `token`: the name of the one that it must show; "" for any."""

    token: str = ""


TOKEN = Field(
    "token",
    Text("the name of a token of scope ingest"),
    "Only what is posted with the token of this name (`keeptime token add NAME --scope ingest`).",
    default="any token of scope ingest",
)


def _push(row: Row) -> Traffic:
    return Push("push", row.get(TOKEN, ""))


PUSH_TABLE = Table("push", "Take requests that a program posts to keeptime.", (TOKEN,), _push)
PUSH: Field[Traffic] = Field(
    "push", OrNothing(PUSH_TABLE), "Take requests that a program posts to `/api/v1/push/CONTRACT`."
)


def written(one: Push) -> Terms:
    return given(token=one.token)
