"""Messages that were not delivered, for people: what waits, what was given up (dead letters), and giving those
another life.

Guarantees: a dead letter stays until it is replayed or discarded; replaying changes neither its id, its
body nor its place in the order. Runs inside the caller's transaction. Knows nothing of receivers and schedules.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from keeptime.model.alert import DeadLetters, Letter, topic_of
from keeptime.store.proven import Proofs
from keeptime.store.rows import address_of
from keeptime.store.sql import Database

UNSENT = "delivered IS NULL AND dead IS NULL AND muted IS NULL"
"""As the index outbox_unsent has it."""

HELD = "muted IS NOT NULL AND passed IS NULL"
"""A silence holds it back."""

DEAD = "dead IS NOT NULL AND discarded IS NULL"
"""As the index outbox_dead has it."""

_LETTERS = (
    "SELECT o.row, m.message_id, r.contract, n.name, r.fields, m.topic, o.created, o.attempts, o.next_try, o.dead, "
    "o.status, o.muted FROM outbox o JOIN message m ON m.id = o.message JOIN route r ON r.id = o.route "
    "JOIN objective n ON n.id = o.objective "
)
_COUNTS = (
    f"SELECT r.contract, r.fields, count(*), (SELECT status FROM outbox WHERE route = r.id AND {DEAD} "
    f"ORDER BY dead DESC, row LIMIT 1) FROM outbox o JOIN route r ON r.id = o.route WHERE {DEAD} "
    "GROUP BY r.id ORDER BY r.id"
)

_Row = tuple[int, str, str, str, str, str, float, int, float, float | None, str, int | None]


@dataclass(frozen=True, slots=True)
class Letters:
    """The undelivered rows of one database's outbox."""

    db: Database

    def give_up(self, row: int, at: float, error: str) -> None:
        """This unsent row is a dead letter."""
        update = "UPDATE outbox SET attempts = attempts + 1, dead = ?, status = ? WHERE row = ?"
        self.db.execute(update, (at, error, row))
        Proofs(self.db).gave_up([row], at, error)

    def give_up_behind(self, row: int, at: float, error: str) -> int:
        """So is all that waits for the same receiver of the same contract; how many."""
        behind = self.db.execute(
            "UPDATE outbox SET dead = ?, status = ? "
            f"WHERE {UNSENT} AND route = (SELECT route FROM outbox WHERE row = ?) RETURNING row",
            (at, error, row),
        )
        rows = sorted(each for (each,) in list(behind))
        Proofs(self.db).gave_up(rows, at, error)
        return len(rows)

    def list(self, *, dead: bool, most: int, after: int = 0) -> tuple[Letter, ...]:
        """The oldest after this row."""
        if dead:
            where = f"WHERE {DEAD} "
        else:
            where = (
                f"WHERE o.row IN (SELECT row FROM outbox WHERE {UNSENT} "
                f"UNION ALL SELECT row FROM outbox WHERE {DEAD} "
                f"UNION ALL SELECT row FROM outbox WHERE {HELD}) "
            )
        rows = self.db.execute(f"{_LETTERS}{where}AND o.row > ? ORDER BY o.row LIMIT ?", (after, most))
        return tuple(map(_letter, rows))

    def counts(self) -> Sequence[DeadLetters]:
        rows = self.db.execute(_COUNTS)
        return [DeadLetters(contract, address_of(data), count, error) for contract, data, count, error in rows]

    def replay(self, now: float, *, rows: Collection[int] | None, contract: str | None) -> int:
        """As the Protocol of the outbox says."""
        again = "dead = NULL, declared = 0, attempts = 0, next_try = ?, status = ''"
        found = self._changed(again, now, rows, contract)
        Proofs(self.db).replayed(found, now)
        return len(found)

    def discard(
        self, now: float, author: str, reason: str, *, rows: Collection[int] | None, contract: str | None
    ) -> int:
        """As the Protocol of the outbox says."""
        found = self._changed("discarded = ?", now, rows, contract)
        Proofs(self.db).discarded(found, now, author, reason)
        return len(found)

    def _changed(
        self, change: str, now: float, rows: Collection[int] | None, contract: str | None
    ) -> Sequence[int]:
        """The dead letters that are meant, in their order, after this change of each."""
        update, where = f"UPDATE outbox SET {change} WHERE {DEAD}", list[float | str]([now])
        if contract is not None:
            update += " AND route IN (SELECT id FROM route WHERE contract = ?)"
            where.append(contract)
        if rows is None:
            found = list(self.db.execute(f"{update} RETURNING row", where))
        else:
            one = f"{update} AND row = ? RETURNING row"
            found = [each for row in rows for each in list(self.db.execute(one, (*where, row)))]
        return sorted(row for (row,) in found)


def _letter(row: _Row) -> Letter:
    number, message, contract, objective, data, topic, created, attempts, next_try, dead, error, muted = row
    address = address_of(data)
    return Letter(
        number,
        message,
        contract,
        objective,
        address,
        topic_of(topic),
        created,
        attempts,
        next_try,
        dead,
        error,
        muted,
    )
