"""Silences, and the rows of the outbox that they hold back. Runs inside the caller's transaction.

Guarantees: what ends a silence decides in the same step about every row that it held back: of each receiver and
objective the newest is sent, if that says anything else than what was told last and its alert is not over
meanwhile, and the rest stays unsent for good. Each beginning and end is a row of the ledger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keeptime.model.alert import OPERATORS, Waiting
from keeptime.model.key import ObjectiveKey
from keeptime.model.ledger import Json, LedgerKind
from keeptime.model.silence import Silence, muted_by, news
from keeptime.store.ledger import Ledger
from keeptime.store.numbering import Numbering
from keeptime.store.rows import address_of
from keeptime.store.sql import Database

_SILENCE = "SELECT id, contract, objective, author, reason, begins, ends, ended, ended_by, ended_why FROM silence "
_HELD = (
    "SELECT DISTINCT o.route, o.objective, n.contract, n.name FROM outbox o JOIN objective n ON n.id = o.objective "
    "WHERE o.muted IS NOT NULL AND o.passed IS NULL ORDER BY o.route, o.objective"
)
_MUTED = (
    "SELECT r.contract, r.fields, count(*), min(o.created) FROM outbox o JOIN route r ON r.id = o.route "
    "WHERE o.muted IS NOT NULL AND o.passed IS NULL GROUP BY r.id ORDER BY r.id"
)
_NEWEST = (
    "SELECT o.muted, m.id, m.message_id, m.body FROM outbox o JOIN message m ON m.id = o.message "
    "WHERE o.route = ? AND o.objective = ? "
)
_OVER_SINCE = "SELECT 1 FROM message WHERE objective = ? AND id > ? AND topic IN ('recovered', 'withdrawn') LIMIT 1"


@dataclass(frozen=True, slots=True)
class Silences:
    """The table silence of one database, and what is muted in its outbox."""

    db: Database

    def add(self, new: Silence, at: float) -> Silence:
        """The silence with its number."""
        (number,) = self.db.execute(
            "INSERT INTO silence (contract, objective, author, reason, begins, ends) VALUES (?, ?, ?, ?, ?, ?) "
            "RETURNING id",
            (new.contract, new.objective, new.author, new.reason, new.begins, new.ends),
        ).fetchone()
        said: Mapping[str, Json] = {
            "silence": number,
            "objective": new.objective,
            "author": new.author,
            "reason": new.reason,
            "begins": new.begins,
            "ends": new.ends,
        }
        Ledger(self.db).append(at, LedgerKind.SILENCE, new.contract, said)
        return self.one(number) or new

    def one(self, number: int) -> Silence | None:
        row = self.db.execute(f"{_SILENCE}WHERE id = ?", (number,)).fetchone()
        return None if row is None else Silence(*row)

    def open(self, contract: str | None = None) -> tuple[Silence, ...]:
        """Those that are not over, oldest first; of this contract, or of all."""
        if contract is None:
            return tuple(Silence(*row) for row in self.db.execute(f"{_SILENCE}WHERE ended IS NULL ORDER BY id"))
        found = self.db.execute(f"{_SILENCE}WHERE ended IS NULL AND contract = ? ORDER BY id", (contract,))
        return tuple(Silence(*row) for row in found)

    def newest(self, most: int, before: int = 0) -> tuple[Silence, ...]:
        """The newest before this number (0: of all), newest first, also those that are over."""
        found = self.db.execute(f"{_SILENCE}WHERE id < ? ORDER BY id DESC LIMIT ?", (before or 2**63 - 1, most))
        return tuple(Silence(*row) for row in found)

    def end(self, one: Silence, by: str, why: str, at: float) -> Silence:
        """It is over: by hand, or (`by` is "") because its time is."""
        update = "UPDATE silence SET ended = ?, ended_by = ?, ended_why = ? WHERE id = ? AND ended IS NULL"
        if self.db.execute(update, (at, by, why, one.id)).rowcount:
            how = "by hand" if by else "its time was over"
            said: Mapping[str, Json] = {
                "silence": one.id,
                "objective": one.objective,
                "how": how,
                "author": by,
                "reason": why,
            }
            Ledger(self.db).append(at, LedgerKind.SILENCE_ENDED, one.contract, said)
        return self.one(one.id) or one

    def expire(self, now: float) -> tuple[Silence, ...]:
        """End those whose time is over."""
        due = [each for each in self.open() if each.ends <= now]
        return tuple(self.end(each, "", "", now) for each in due)

    def release(self, now: float) -> tuple[ObjectiveKey, ...]:
        """Decide about every row that no silence holds back any more; the objectives of which one is sent now."""
        silences, sent = self.open(), []
        for route, objective, contract, name in list(self.db.execute(_HELD)):
            key = ObjectiveKey(contract, name)
            if muted_by(silences, OPERATORS, key, now) is not None:
                continue
            if self._release(route, objective, now):
                sent.append(key)
        return tuple(dict.fromkeys(sent))

    def muted(self) -> Sequence[Waiting]:
        """What is held back, by route."""
        rows = self.db.execute(_MUTED)
        return [Waiting(contract, address_of(data), count, oldest) for contract, data, count, oldest in rows]

    def _release(self, route: int, objective: int, now: float) -> bool:
        """Of one receiver and objective; whether its newest is sent."""
        where = (route, objective)
        muted, message, name, body = self.db.execute(f"{_NEWEST}ORDER BY o.row DESC LIMIT 1", where).fetchone()
        told = self.db.execute(
            f"{_NEWEST}AND o.muted IS NULL AND o.dead IS NULL ORDER BY o.row DESC LIMIT 1", where
        ).fetchone()
        sent = muted is not None and news(body, None if told is None else told[3])
        # Who is only passed on to does not hear the end, and is not to hear of a beginning that has one.
        if sent and self.db.execute(_OVER_SINCE, (objective, message)).fetchone() is not None:
            sent = False
        if sent:  # as a row of its own, so that it comes last in the order and in the numbers
            numbers = Numbering(self.db).take(route, name)
            self.db.execute(
                "INSERT INTO outbox (message, route, objective, created, next_try, epoch, sequence, previous_id, "
                "missing) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (message, route, objective, now, now, *numbers),
            )
        self.db.execute(
            "UPDATE outbox SET passed = ? "
            "WHERE route = ? AND objective = ? AND muted IS NOT NULL AND passed IS NULL",
            (now, route, objective),
        )
        return sent
