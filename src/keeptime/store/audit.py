"""Does the ledger tell the same as the rest of the store, as far as that is still kept?

Guarantees: a message whose body is not the one that was decided, one that no row tells of, a delivery that is only
in one of the two, and a contract's text that was changed are found. What retention has cut off is not missed. Reads
only. Knows nothing of the chain.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from keeptime.model.ledger import Fault, LedgerKind, LedgerRow
from keeptime.store.proven import body_hash
from keeptime.store.sql import Database

_MESSAGE = "SELECT id, body FROM message WHERE message_id = ?"
_LETTER = "SELECT m.message_id, o.delivered FROM outbox o JOIN message m ON m.id = o.message WHERE o.row = ?"
_WRITTEN = "SELECT written FROM contract_version WHERE contract = ? AND version = ?"
_MESSAGES = "SELECT id, message_id FROM message WHERE id > ? ORDER BY id"
_DELIVERED = "SELECT row FROM outbox WHERE delivered IS NOT NULL AND message > ? ORDER BY row"
_BEFORE = "SELECT value FROM setting WHERE name = 'before_ledger'"


@dataclass(slots=True)
class Audit:
    """Let all rows pass through `seeing`, then ask for the `differences`."""

    db: Database
    found: list[Fault] = field(default_factory=list)
    messages: set[int] = field(default_factory=set)
    letters: set[int] = field(default_factory=set)

    def seeing(self, rows: Iterable[LedgerRow]) -> Iterator[LedgerRow]:
        for row in rows:
            if row.kind in (LedgerKind.DECISION, LedgerKind.WITHDRAWN):
                self._decision(row)
            elif row.kind == LedgerKind.DELIVERY:
                self._delivery(row)
            elif row.kind == LedgerKind.CONTRACT:
                self._contract(row)
            yield row

    def differences(self) -> tuple[Fault, ...]:
        """Of all rows that were seen, and then of what no row tells."""
        (before,) = self.db.execute(_BEFORE).fetchone()
        for identity, name in self.db.execute(_MESSAGES, (before,)):
            if identity not in self.messages:
                self._say(0, f"message {name} is kept, but no row tells that it was decided")
        for (row,) in self.db.execute(_DELIVERED, (before,)):
            if row not in self.letters:
                self._say(0, f"row {row} of the outbox is marked as delivered, but no row tells of it")
        return tuple(self.found)

    def _decision(self, row: LedgerRow) -> None:
        kept = self.db.execute(_MESSAGE, (str(row.fields.get("id")),)).fetchone()
        if kept is None:
            return
        self.messages.add(kept[0])
        if body_hash(kept[1]) != row.fields.get("body_sha256"):
            self._say(row.seq, f"message {row.fields.get('id')} is kept with another body than was decided")

    def _delivery(self, row: LedgerRow) -> None:
        number = row.fields.get("row")
        if not isinstance(number, int) or (kept := self.db.execute(_LETTER, (number,)).fetchone()) is None:
            return
        self.letters.add(number)
        message, delivered = kept
        if message != row.fields.get("id") or delivered is None:
            self._say(row.seq, f"row {number} of the outbox is not marked as the delivery that was made")

    def _contract(self, row: LedgerRow) -> None:
        for (written,) in self.db.execute(_WRITTEN, (row.contract, str(row.fields.get("version")))):
            if hashlib.sha256(written.encode()).hexdigest() != row.fields.get("sha256"):
                self._say(
                    row.seq, f"version {row.fields.get('version')} is kept with another text than was in force"
                )

    def _say(self, seq: int, why: str) -> None:
        self.found.append(Fault(seq, why))
