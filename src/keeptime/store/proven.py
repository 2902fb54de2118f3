"""What of telling and leaving out goes into the ledger, and in which words.

Guarantees: a row names the receiver by kind and audience alone, never by URL or secret; of a message it has the
hash of the body, not the body. Runs inside the caller's transaction.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from keeptime.model.alert import Message, Topic
from keeptime.model.ledger import Json, LedgerKind
from keeptime.model.silence import Silence
from keeptime.store.exclusions import DAY, ExclusionTable
from keeptime.store.ledger import Ledger
from keeptime.store.rows import address_of
from keeptime.store.sql import Database

_LETTER = (
    "SELECT r.contract, m.message_id, r.fields FROM outbox o JOIN message m ON m.id = o.message "
    "JOIN route r ON r.id = o.route WHERE o.row = ?"
)
_OBJECTIVE = "SELECT contract, name FROM objective WHERE id = ?"


@dataclass(frozen=True, slots=True)
class Proofs:
    """The ledger of one database, beside its other tables."""

    db: Database

    def decided(self, message: Message, at: float, muted: Silence | None) -> None:
        """A message was committed; `muted`: the silence that keeps it from the operators."""
        said: Mapping[str, Json] = {
            "id": message.id,
            "objective": message.key.objective,
            "topic": message.topic.value,
            "tick": message.tick,
            "reason": _reason(message.body),
            "body_sha256": body_hash(message.body),
            "audiences": list(dict.fromkeys(address.audience for address in message.addresses)),
        }
        if muted is not None:
            said = {**said, "muted_by_silence": muted.id}
        kind = LedgerKind.WITHDRAWN if message.topic is Topic.WITHDRAWN else LedgerKind.DECISION
        Ledger(self.db).append(at, kind, message.key.contract, said)

    def delivered(self, row: int, at: float, answer: str) -> None:
        """A receiver took it."""
        self._letter(row, at, LedgerKind.DELIVERY, {"answer": answer})

    def gave_up(self, rows: Collection[int], at: float, error: str) -> None:
        """These are dead letters now."""
        for row in rows:
            self._letter(row, at, LedgerKind.DEAD_LETTER, {"error": error})

    def replayed(self, rows: Collection[int], at: float) -> None:
        """These are sent again."""
        for row in rows:
            self._letter(row, at, LedgerKind.REPLAYED, {})

    def discarded(self, rows: Collection[int], at: float, author: str, reason: str) -> None:
        """These are not sent, and shown no more."""
        for row in rows:
            self._letter(row, at, LedgerKind.DISCARDED, {"author": author, "reason": reason})

    def day_over(self, today: int, at: float) -> None:
        """What was left out on the days (UTC) before this one, as far as the ledger does not have it yet."""
        due = "SELECT day, objective FROM exclusion_due WHERE day < ? ORDER BY day, objective"
        for day, objective in list(self.db.execute(due, (today,))):
            self._left_out(day, objective, at)
        self.db.execute("DELETE FROM exclusion_due WHERE day < ?", (today,))

    def _letter(self, row: int, at: float, kind: LedgerKind, more: Mapping[str, Json]) -> None:
        contract, message, fields = self.db.execute(_LETTER, (row,)).fetchone()
        address = address_of(fields)
        said: Mapping[str, Json] = {
            "row": row,
            "id": message,
            "receiver": address.kind,
            "audience": address.audience,
            **more,
        }
        Ledger(self.db).append(at, kind, contract, said)

    def _left_out(self, day: int, objective: int, at: float) -> None:
        found = ExclusionTable(self.db).between(objective, day, day)
        if not found:
            return
        contract, name = self.db.execute(_OBJECTIVE, (objective,)).fetchone()
        reasons: list[Json] = [
            {"kind": why.kind.value, "reason": why.reason, "author": why.author, "events": each.events}
            for each in found
            for why in (each.exclusion,)
        ]
        said: Mapping[str, Json] = {"objective": name, "day": date_of(day), "reasons": reasons}
        Ledger(self.db).append(at, LedgerKind.EXCLUSION, contract, said)


def body_hash(body: bytes) -> str:
    """SHA-256 of a message's body, as it is stored: without its numbers at a receiver."""
    return hashlib.sha256(body).hexdigest()


def date_of(day: int) -> str:
    """ "2026-11-25" of days since 1970-01-01."""
    return datetime.fromtimestamp(day * DAY, UTC).date().isoformat()


def _reason(body: bytes) -> str:
    """The body's own sentence, "" where it has none."""
    return str(json.loads(body).get("reason", ""))
