"""Numbers of messages, given in the step that puts a message on its route, and never changed.

Guarantees: an epoch's name is new whatever the database held before, so after an older backup is put in place no
(epoch, sequence) is used twice; a route's sequence grows by one with each row. Runs inside the caller's
transaction.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from keeptime.model.ledger import LedgerKind
from keeptime.model.numbers import MOST_NAMED, Numbers, Taken
from keeptime.store.ledger import Ledger
from keeptime.store.sql import Database

Stored = tuple[int | None, int | None, str | None, str | None]
"""The columns epoch, sequence, previous_id and missing of a row in the outbox."""

UNNUMBERED: Stored = (None, None, None, None)
"""Of a row that nobody is sent, so that it leaves no gap."""

_UNDECLARED = "dead IS NOT NULL AND declared = 0"
"""As the index outbox_undeclared has it."""


@dataclass(frozen=True, slots=True)
class Numbering:
    """The table epoch, and the numbers in the tables route and outbox."""

    db: Database

    def begin(self, now: float) -> None:
        """From here on this is another epoch. Its name begins with the instant, so names sort by time."""
        began = datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        name = f"{began}-{secrets.token_hex(8)}"
        self.db.execute("INSERT INTO epoch (name, began) VALUES (?, ?)", (name, now))
        Ledger(self.db).append(now, LedgerKind.EPOCH, "", {"epoch": name})

    def take(self, route: int, message_id: str) -> Stored:
        """The numbers of the row that is put on this route now."""
        epoch = self.db.execute("SELECT max(id) FROM epoch").fetchone()[0]
        (before,) = self.db.execute("SELECT newest_id FROM route WHERE id = ?", (route,)).fetchone()
        (sequence,) = self.db.execute(
            "UPDATE route SET sequence = sequence + 1, newest_id = ? WHERE id = ? RETURNING sequence",
            (message_id, route),
        ).fetchone()
        return epoch, sequence, before, self._declare(route)

    def _declare(self, route: int) -> str | None:
        """Name the route's dead letters that no message has named."""
        found = self.db.execute(
            f"SELECT m.message_id FROM outbox o JOIN message m ON m.id = o.message "
            f"WHERE o.route = ? AND {_UNDECLARED} ORDER BY o.row LIMIT ?",
            (route, MOST_NAMED),
        )
        ids = [name for (name,) in found]
        if not ids:
            return None
        named = self.db.execute(f"UPDATE outbox SET declared = 1 WHERE route = ? AND {_UNDECLARED}", (route,))
        return json.dumps({"count": named.rowcount, "ids": ids})


def numbers_of(
    epoch: str | None, sequence: int | None, previous_id: str | None, missing: str | None
) -> Numbers | None:
    """The numbers of a row; None where it was written before there were any. `epoch`: its name."""
    if epoch is None or sequence is None:
        return None
    said = json.loads(missing or '{"count": 0, "ids": []}')
    return Numbers(epoch, sequence, previous_id, said["count"], tuple(said["ids"]))


def last_taken(db: Database, contract: str, address: str) -> Taken | None:
    """The newest row of this route that was delivered, and has a number."""
    found = db.execute(
        "SELECT e.name, o.sequence, m.message_id FROM outbox o JOIN route r ON r.id = o.route "
        "JOIN message m ON m.id = o.message JOIN epoch e ON e.id = o.epoch "
        "WHERE r.contract = ? AND r.address = ? AND o.delivered IS NOT NULL ORDER BY o.row DESC LIMIT 1",
        (contract, address),
    ).fetchone()
    return None if found is None else Taken(*found)
