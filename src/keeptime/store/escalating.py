"""Messages that were not taken in time, and their being passed on to the next receiver.

Guarantees: a step (the new row, how far it went, its ledger row, what the operators are told) is one transaction of
the caller's; a message goes to a receiver once, however many of its rows are late; what was passed on is not passed
on again by itself. Knows nothing of when and to whom.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keeptime.model.alert import Late, Passed, topic_of
from keeptime.model.ledger import LedgerKind
from keeptime.store.ledger import Ledger
from keeptime.store.posting import KEEP_SECONDS, Posting
from keeptime.store.rows import address_of
from keeptime.store.sql import Database

DEAD_SINCE = 86_400.0
"""Seconds after which a dead letter that was not passed on is left alone: there were no steps when it was one."""

_LATE = (
    "SELECT o.row, m.message_id, r.contract, r.fields, m.topic, o.created, o.dead, o.status, "
    "coalesce(e.steps, 0), e.stepped, (SELECT count(*) FROM escalated s JOIN outbox c ON c.row = s.copy "
    "WHERE s.origin = o.row AND c.delivered IS NOT NULL), "
    "(SELECT count(*) FROM ack k JOIN alert a ON a.objective = k.objective "
    "WHERE k.objective = o.objective AND k.started = a.started AND a.state = 'firing') "
    "FROM outbox o JOIN message m ON m.id = o.message JOIN route r ON r.id = o.route "
    "LEFT JOIN escalation e ON e.origin = o.row "
    "WHERE {which} AND coalesce(e.steps, 0) < ? {among}"
    "AND NOT EXISTS (SELECT 1 FROM escalated s WHERE s.copy = o.row) ORDER BY o.row"
)
# One that was never tried is due since `next_try`: of a dead letter that is replayed, that is when it was.
_WAITING = (
    "o.delivered IS NULL AND o.dead IS NULL AND o.muted IS NULL "
    "AND CASE WHEN o.attempts = 0 AND o.next_try > o.created THEN o.next_try ELSE o.created END <= ?"
)
_DEAD = "o.dead >= ? AND o.discarded IS NULL AND o.delivered IS NULL"
# By expressions: by the rows themselves the whole outbox would be read for the few that nobody took.
_ROWS = "SELECT o.row FROM outbox o WHERE {which} AND o.row + 0 > ? ORDER BY o.row + 0 LIMIT ?"
_ORIGIN = (
    "SELECT m.message_id, r.contract, m.topic FROM outbox o "
    "JOIN message m ON m.id = o.message JOIN route r ON r.id = o.route WHERE o.row = ?"
)


@dataclass(frozen=True, slots=True)
class Escalating:
    """The tables escalation and escalated, beside the outbox."""

    db: Database
    posting: Posting

    def rows(self, now: float, within: float, after: int, most: int) -> Sequence[int]:
        """Rows beyond `after` that nobody took: decided longer than `within` seconds ago, or given up lately."""
        found: list[int] = []
        for which, since in ((_WAITING, now - within), (_DEAD, now - DEAD_SINCE)):
            found += [row for (row,) in self.db.execute(_ROWS.format(which=which), (since, after, most))]
        return sorted(found)[:most]

    def late(self, now: float, within: float, steps: int, rows: Sequence[int] | None = None) -> Sequence[Late]:
        """Of these rows (None: of all) those that nobody took, and of which less than so many steps were made."""
        if rows is not None and not rows:
            return ()
        among = "" if rows is None else f"AND o.row IN ({', '.join('?' * len(rows))}) "
        found: list[Any] = []
        for which, since in ((_WAITING, now - within), (_DEAD, now - DEAD_SINCE)):
            found += self.db.execute(_LATE.format(which=which, among=among), (since, steps, *(rows or ())))
        return [
            Late(
                *(row, name, contract, address_of(to), topic_of(topic), created, dead, error, done, at),
                taken_on_the_way=bool(taken),
                acknowledged=bool(acked),
            )
            for row, name, contract, to, topic, created, dead, error, done, at, taken, acked in found
        ]

    def pass_on(self, passed: Passed, now: float) -> None:
        name, contract, topic = self.db.execute(_ORIGIN, (passed.row,)).fetchone()
        if passed.to is not None:
            copy = self.posting.also(passed.row, passed.to, now)
            if copy is not None:
                self.db.execute("INSERT INTO escalated VALUES (?, ?, ?)", (copy, passed.row, now))
        self.db.execute(
            "INSERT INTO escalation VALUES (?, 1, ?) "
            "ON CONFLICT (origin) DO UPDATE SET steps = escalation.steps + 1, stepped = excluded.stepped",
            (passed.row, now),
        )
        to = None if passed.to is None else {"audience": passed.to.audience, "receiver": passed.to.kind}
        said = {"row": passed.row, "id": name, "topic": topic, "to": to, "reason": passed.reason}
        Ledger(self.db).append(now, LedgerKind.ESCALATION, contract, said)
        for each in passed.messages:
            self.posting.put(each, now)

    def prune(self, now: float, most: int) -> None:
        """Forget at most so many steps of messages that are gone themselves."""
        for table, row in (("escalation", "origin"), ("escalated", "copy")):
            self.db.execute(
                f"DELETE FROM {table} WHERE {row} IN (SELECT {row} FROM {table} WHERE stepped < ? AND NOT EXISTS "
                f"(SELECT 1 FROM outbox o WHERE o.row = {table}.{row}) LIMIT ?)",
                (now - KEEP_SECONDS, most),
            )
