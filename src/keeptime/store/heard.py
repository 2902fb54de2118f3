"""What was told of the alerts that are open: for whoever has to say that they are watched no more.

Guarantees: only messages of the alert that began at the row's `started` count; an address is named once, in the
order in which they were first told. Reads alone.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from keeptime.model.alert import Address, AlertRow, Heard
from keeptime.model.key import ObjectiveKey
from keeptime.store.names import Names
from keeptime.store.rows import address_of
from keeptime.store.sql import Database

_TOLD = (
    "SELECT m.tick, m.body, r.fields "
    "FROM outbox o JOIN message m ON m.id = o.message JOIN route r ON r.id = o.route "
    "WHERE o.objective = ? AND m.id > (SELECT coalesce(max(id), 0) FROM message WHERE objective = ? "
    "AND topic IN ('recovered', 'withdrawn')) ORDER BY o.row"
)
SAME = 0.001
"""Seconds within which two writings of one instant lie."""


def heard_of(db: Database, names: Names, rows: Sequence[AlertRow]) -> dict[ObjectiveKey, Heard]:
    """What was told of each of these alerts; those of which nobody was told are absent."""
    found = {row.key: _heard(db, names, row) for row in rows}
    return {key: heard for key, heard in found.items() if heard is not None}


def _heard(db: Database, names: Names, row: AlertRow) -> Heard | None:
    told = list(_of_alert(db, names, row))
    if not told:
        return None
    tick, body, _ = told[-1]
    return Heard(tick, body, tuple(dict.fromkeys(address for _, _, address in told)))


def _of_alert(db: Database, names: Names, row: AlertRow) -> Iterator[tuple[int, bytes, Address]]:
    identity = names.objectives.get(row.key)
    if identity is None or row.started is None:
        return
    for tick, body, fields in db.execute(_TOLD, (identity, identity)):
        began = datetime.fromisoformat(json.loads(body)["started"]).timestamp()
        if abs(began - row.started) < SAME:
            yield tick, body, address_of(fields)
