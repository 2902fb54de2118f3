"""What the store answers beyond the model's own values: frozen rows.

Guarantees: times are Unix seconds; nothing here reaches back into the database.
"""

import json
from dataclasses import dataclass, fields

from keeptime.model.alert import Address, Aside, Topic
from keeptime.model.key import ObjectiveKey


@dataclass(frozen=True, slots=True)
class RouteSummary:
    """Messages of one (contract, address) since the store was made. `oldest`: None where nothing waits.

    `last_error`: of the latest attempt, "" if that one succeeded.
    """

    contract: str
    address: Address
    delivered: int
    failed_attempts: int
    waiting: int
    oldest: float | None
    last_error: str


@dataclass(frozen=True, slots=True)
class Transition:
    """One message as it was committed."""

    message_id: str
    key: ObjectiveKey
    topic: Topic | Aside
    tick: int
    created: float
    body: bytes


_FIELDS = {field.name for field in fields(Address)}


def address_of(data: str) -> Address:
    """The address as written; a field that a newer keeptime wrote is left out."""
    written = {name: value for name, value in json.loads(data).items() if name in _FIELDS}
    options = tuple((name, value) for name, value in written.pop("options", ()))
    return Address(**written | {"options": options, "allow": tuple(written.get("allow", ()))})
