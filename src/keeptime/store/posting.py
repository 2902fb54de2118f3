"""Messages and their way out: written once with the change they tell of, sent in order, kept for a while.

Guarantees: a message id is written once; of one (contract, address) a later row never overtakes an unsent earlier
one; an unsent row and a dead letter are never deleted, nor the newest of its (contract, objective, address). Runs
inside the caller's transaction. Knows nothing of receivers.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from keeptime.errors import StoreError
from keeptime.model.alert import OPERATORS, Address, Delivery, Message, Waiting, topic_of
from keeptime.model.key import ObjectiveKey
from keeptime.model.outcome import Delivered, Failed, GaveUp, Outcome
from keeptime.model.silence import Silence, muted_by
from keeptime.store.letters import UNSENT, Letters
from keeptime.store.names import Names
from keeptime.store.numbering import UNNUMBERED, Numbering, numbers_of
from keeptime.store.proven import Proofs
from keeptime.store.rows import RouteSummary, Transition, address_of
from keeptime.store.silences import Silences
from keeptime.store.sql import Database

KEEP_SECONDS = 90 * 86_400.0
"""How long a delivered row and its message are kept."""

_DELIVERY = (
    "SELECT o.row, m.message_id, r.contract, r.fields, m.topic, m.body, o.attempts, o.created, o.next_try, "
    "e.name, o.sequence, o.previous_id, o.missing "
)
_JOINED = "JOIN message m ON m.id = o.message JOIN route r ON r.id = o.route LEFT JOIN epoch e ON e.id = o.epoch "
_HEADS = (
    f"{_DELIVERY}"
    f"FROM (SELECT min(row) AS head FROM outbox WHERE {UNSENT} GROUP BY route) h "
    f"JOIN outbox o ON o.row = head {_JOINED}"
    "WHERE o.next_try <= ? ORDER BY o.row"
)
_LATEST = (
    f"{_DELIVERY}"
    "FROM (SELECT max(row) AS newest FROM outbox WHERE route IN (SELECT id FROM route WHERE kind = ?) "
    "AND muted IS NULL GROUP BY route, objective) n "
    f"JOIN outbox o ON o.row = newest {_JOINED}"
    "WHERE o.delivered IS NOT NULL ORDER BY o.row"
)
_ORIGIN = (
    "SELECT m.id, m.message_id, o.objective, n.name, r.contract, o.created FROM outbox o "
    "JOIN message m ON m.id = o.message JOIN route r ON r.id = o.route JOIN objective n ON n.id = o.objective "
    "WHERE o.row = ?"
)
_SUMMARY = (
    "SELECT r.contract, r.fields, r.delivered, r.failed, r.last_error, count(o.row), min(o.created) FROM route r "
    "LEFT JOIN outbox o ON o.route = r.id AND o.delivered IS NULL AND o.dead IS NULL AND o.muted IS NULL "
    "GROUP BY r.id ORDER BY r.id"
)


@dataclass(frozen=True, slots=True)
class Posting:
    """The tables message, route and outbox of one database."""

    db: Database
    names: Names

    def put(self, message: Message, created: float) -> None:
        """The message and one row per address; nothing where this id is already there."""
        objective = self.names.objective(message.key)
        done = self.db.execute(
            "INSERT INTO message (message_id, objective, topic, tick, created, body) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (message_id) DO NOTHING RETURNING id",
            (message.id, objective, message.topic.value, message.tick, created, message.body),
        ).fetchone()
        if done is None:
            return
        operated = any(address.audience == OPERATORS for address in message.addresses)
        silences = Silences(self.db).open(message.key.contract) if operated else ()
        held: Silence | None = None
        for address in message.addresses:
            muted = muted_by(silences, address.audience, message.key, created)
            held = held or muted
            route = self._route(message.key.contract, address)
            self._enqueue((done[0], message.id, objective), route, created, created, muted)
        Proofs(self.db).decided(message, created, held)

    def also(self, origin: int, address: Address, now: float) -> int | None:
        """The message of this row goes to this address, too; the new row, None where it goes there anyway."""
        message, name, objective, called, contract, created = self.db.execute(_ORIGIN, (origin,)).fetchone()
        route = self._route(contract, address)
        there = "SELECT 1 FROM outbox WHERE message = ? AND route = ?"
        if self.db.execute(there, (message, route)).fetchone() is not None:
            return None
        silences = Silences(self.db).open(contract)
        muted = muted_by(silences, address.audience, ObjectiveKey(contract, called), now)
        return self._enqueue((message, name, objective), route, created, now, muted)

    def _enqueue(
        self, message: tuple[int, str, int], route: int, created: float, due: float, muted: Silence | None
    ) -> int:
        """One more row at the route's end. `message`: its number, its id and its objective's number."""
        number, name, objective = message
        numbers = UNNUMBERED if muted else Numbering(self.db).take(route, name)
        (row,) = self.db.execute(
            "INSERT INTO outbox (message, route, objective, created, next_try, muted, epoch, sequence, "
            "previous_id, missing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING row",
            (number, route, objective, created, due, muted.id if muted else None, *numbers),
        ).fetchone()
        return int(row)

    def heads(self, now: float) -> Sequence[Delivery]:
        return [_delivery(row) for row in self.db.execute(_HEADS, (now,))]

    def next_due(self) -> float | None:
        query = (
            "SELECT min(next_try) FROM outbox WHERE row IN "
            f"(SELECT min(row) FROM outbox WHERE {UNSENT} GROUP BY route)"
        )
        due = self.db.execute(query).fetchone()[0]
        return None if due is None else float(due)

    def mark(self, outcome: Outcome) -> int:
        """How many rows became dead letters. A row that is not unsent is left as it is. Raises StoreError where
        there is no such row.
        """
        if not self._unsent(outcome.row):
            return 0
        match outcome:
            case Delivered(row, at, status):
                self.db.execute("UPDATE outbox SET delivered = ?, status = ? WHERE row = ?", (at, status, row))
                self._total(row, "delivered = delivered + 1, last_error = ''")
                Proofs(self.db).delivered(row, at, status)
                return 0
            case Failed(row, _, next_try, error):
                update = "UPDATE outbox SET attempts = attempts + 1, next_try = ?, status = ? WHERE row = ?"
                self.db.execute(update, (next_try, error, row))
                self._total(row, "failed = failed + 1, last_error = ?", error)
                return 0
            case GaveUp():
                return self._give_up(outcome)

    def _give_up(self, outcome: GaveUp) -> int:
        letters, (row, at, error) = Letters(self.db), (outcome.row, outcome.at, outcome.error)
        letters.give_up(row, at, error)
        behind = letters.give_up_behind(row, at, error) if outcome.channel else 0
        self._total(row, "failed = failed + 1, last_error = ?", error)
        for message in outcome.messages:
            self.put(message, at)
        return 1 + behind

    def latest(self, kind: str) -> Sequence[Delivery]:
        return [_delivery(row) for row in self.db.execute(_LATEST, (kind,))]

    def summary(self) -> tuple[RouteSummary, ...]:
        return tuple(
            RouteSummary(contract, address_of(data), delivered, failed, waiting, oldest, error)
            for contract, data, delivered, failed, error, waiting, oldest in self.db.execute(_SUMMARY)
        )

    def waiting(self) -> Sequence[Waiting]:
        return [
            Waiting(route.contract, route.address, route.waiting, route.oldest)
            for route in self.summary()
            if route.oldest is not None
        ]

    def transitions(self, contract: str, limit: int) -> tuple[Transition, ...]:
        """The newest messages of a contract, newest first."""
        query = (
            "SELECT m.message_id, o.contract, o.name, m.topic, m.tick, m.created, m.body FROM message m "
            "JOIN objective o ON o.id = m.objective WHERE o.contract = ? ORDER BY m.id DESC LIMIT ?"
        )
        return tuple(
            Transition(identity, ObjectiveKey(owner, name), topic_of(topic), tick, created, body)
            for identity, owner, name, topic, tick, created, body in self.db.execute(query, (contract, limit))
        )

    def prune(self, now: float, most: int) -> None:
        """Delete at most so many delivered rows whose time is over, and messages that no row needs."""
        self.db.execute(
            "DELETE FROM outbox WHERE row IN (SELECT row FROM outbox o WHERE delivered < ? AND EXISTS "
            "(SELECT 1 FROM outbox n WHERE n.route = o.route AND n.objective = o.objective AND n.row > o.row "
            "AND n.delivered IS NOT NULL) LIMIT ?)",
            (now - KEEP_SECONDS, most),
        )
        self.db.execute(
            "DELETE FROM outbox WHERE row IN (SELECT row FROM outbox o WHERE discarded < ? AND EXISTS "
            "(SELECT 1 FROM outbox n WHERE n.route = o.route AND n.objective = o.objective AND n.row > o.row "
            "AND n.delivered IS NOT NULL) LIMIT ?)",
            (now - KEEP_SECONDS, most),
        )
        self.db.execute(
            "DELETE FROM message WHERE id IN (SELECT id FROM message m WHERE created < ? AND NOT EXISTS "
            "(SELECT 1 FROM outbox o WHERE o.message = m.id) LIMIT ?)",
            (now - KEEP_SECONDS, most),
        )

        self.db.execute(
            "DELETE FROM outbox WHERE row IN (SELECT row FROM outbox WHERE passed < ? LIMIT ?)",
            (now - KEEP_SECONDS, most),
        )

    def readdress(self, addresses: Sequence[tuple[str, Address]]) -> None:
        """Of each (contract, address) that was ever written to, the address as it is written now."""
        self.db.executemany(
            "UPDATE route SET fields = ? WHERE contract = ? AND address = ?",
            [(_written(address), contract, address.id) for contract, address in addresses],
        )

    def _route(self, contract: str, address: Address) -> int:
        """The route's number; its address as last written, so that a secret can be rotated."""
        written = _written(address)
        (identity,) = self.db.execute(
            "INSERT INTO route (contract, address, fields, kind) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (contract, address) DO UPDATE SET fields = excluded.fields RETURNING id",
            (contract, address.id, written, address.kind),
        ).fetchone()
        return int(identity)

    def _unsent(self, row: int) -> bool:
        found = self.db.execute(f"SELECT {UNSENT} FROM outbox WHERE row = ?", (row,)).fetchone()
        if found is None:
            raise StoreError(f"the outbox has no row {row}")
        return bool(found[0])

    def _total(self, row: int, change: str, *values: str) -> None:
        where = "WHERE id = (SELECT route FROM outbox WHERE row = ?)"
        self.db.execute(f"UPDATE route SET {change} {where}", (*values, row))


@lru_cache(maxsize=1024)
def _written(address: Address) -> str:
    return json.dumps(asdict(address), sort_keys=True)


def _delivery(row: tuple[Any, ...]) -> Delivery:
    """The columns are those of _DELIVERY."""
    number, message, contract, address, topic, body, attempts, created, next_try, *numbers = row
    to, about = address_of(address), topic_of(topic)
    return Delivery(number, message, contract, to, about, body, attempts, created, next_try, numbers_of(*numbers))
