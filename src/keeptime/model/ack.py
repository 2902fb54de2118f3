"""An acknowledgement: somebody has taken on the alert that an objective has now.

Guarantees: it belongs to one alert and ends with it; the next alert of the same objective is not acknowledged.
Pure.
"""

from dataclasses import dataclass

from keeptime.model.alert import AlertRow, AlertState
from keeptime.model.key import ObjectiveKey


@dataclass(frozen=True, slots=True)
class Ack:
    """`started`: when the alert began that it is of; `at`: when it was given. Both in Unix seconds."""

    key: ObjectiveKey
    started: float
    author: str
    note: str
    at: float


def acknowledged(row: AlertRow | None, ack: Ack | None) -> Ack | None:
    """The acknowledgement of the alert that is open now; None where none is open, or nobody has taken it on."""
    if row is None or ack is None or row.state is not AlertState.FIRING or row.started != ack.started:
        return None
    return ack
