"""Acknowledgements of alerts. Runs inside the caller's transaction.

Guarantees: each is a row of the ledger too; of an objective the newest counts. Does not know which alert is open.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keeptime.model.ack import Ack
from keeptime.model.key import ObjectiveKey
from keeptime.model.ledger import Json, LedgerKind
from keeptime.store.ledger import Ledger
from keeptime.store.names import Names
from keeptime.store.sql import Database

_NEWEST = (
    "SELECT n.contract, n.name, a.started, a.author, a.note, a.at "
    "FROM ack a JOIN objective n ON n.id = a.objective "
    "WHERE a.id IN (SELECT max(id) FROM ack GROUP BY objective) ORDER BY a.id"
)


@dataclass(frozen=True, slots=True)
class Acks:
    """The table ack of one database."""

    db: Database
    names: Names

    def put(self, ack: Ack) -> None:
        self.db.execute(
            "INSERT INTO ack (objective, started, author, note, at) VALUES (?, ?, ?, ?, ?)",
            (self.names.objective(ack.key), ack.started, ack.author, ack.note, ack.at),
        )
        said: Mapping[str, Json] = {
            "objective": ack.key.objective,
            "started": ack.started,
            "author": ack.author,
            "note": ack.note,
        }
        Ledger(self.db).append(ack.at, LedgerKind.ACK, ack.key.contract, said)

    def newest(self) -> dict[ObjectiveKey, Ack]:
        """Of each objective that ever had one."""
        found = [Ack(ObjectiveKey(row[0], row[1]), *row[2:]) for row in self.db.execute(_NEWEST)]
        return {each.key: each for each in found}
