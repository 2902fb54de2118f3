"""Exclusions that were declared while keeptime ran: what the store keeps of them.

Guarantees: each is a row of the ledger, and so is its early end; a call that raised StoreError changed nothing; one
that is over is kept as long as the counts that it is about.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from keeptime.model.declared import Declared
from keeptime.model.ledger import Json, LedgerKind
from keeptime.store.ledger import Ledger
from keeptime.store.sql import Database

KEEP_SECONDS = 400 * 86_400.0

_ROW = "SELECT id, contract, objective, author, reason, begins, until, at, ended_by, ended_why FROM declared "


class StoredDeclared:
    """Declared exclusions, on a database; the store is one."""

    __slots__ = ()
    db: Database

    def _step(self) -> AbstractContextManager[None]:
        """A transaction."""
        raise NotImplementedError

    def declare(self, new: Declared, now: float) -> Declared:
        """It is kept; the exclusion with its number."""
        with self._step():
            # The newest stays, so that no number is given twice.
            gone = "DELETE FROM declared WHERE until < ? AND id < (SELECT max(id) FROM declared)"
            self.db.execute(gone, (now - KEEP_SECONDS,))
            values = (new.contract, new.objective, new.author, new.reason, new.begins, new.until, now)
            (number,) = self.db.execute(
                "INSERT INTO declared (contract, objective, author, reason, begins, until, at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                values,
            ).fetchone()
            said: Mapping[str, Json] = {
                "exclusion": number,
                "objective": new.objective,
                "author": new.author,
                "reason": new.reason,
                "from": new.begins,
                "until": new.until,
            }
            Ledger(self.db).append(now, LedgerKind.EXCLUSION_DECLARED, new.contract, said)
            return self._one(number)

    def end_declared(self, ended: Declared, now: float) -> Declared:
        """It has this end from now on."""
        with self._step():
            self.db.execute(
                "UPDATE declared SET until = ?, ended_by = ?, ended_why = ? WHERE id = ?",
                (ended.until, ended.ended_by, ended.ended_why, ended.id),
            )
            said: Mapping[str, Json] = {
                "exclusion": ended.id,
                "objective": ended.objective,
                "author": ended.ended_by,
                "reason": ended.ended_why,
                "until": ended.until,
            }
            Ledger(self.db).append(now, LedgerKind.EXCLUSION_ENDED, ended.contract, said)
            return self._one(ended.id)

    def declared(self, after: float) -> Sequence[Declared]:
        """Those that are not over by this instant (Unix seconds), oldest first."""
        with self.db.speaking():
            return [Declared(*row) for row in self.db.execute(f"{_ROW}WHERE until > ? ORDER BY id", (after,))]

    def newest_declared(self, contract: str, most: int) -> Sequence[Declared]:
        """The newest of a contract, newest first, also those that are over."""
        with self.db.speaking():
            rows = self.db.execute(f"{_ROW}WHERE contract = ? ORDER BY id DESC LIMIT ?", (contract, most))
            return [Declared(*row) for row in rows]

    def _one(self, number: int) -> Declared:
        return Declared(*self.db.execute(f"{_ROW}WHERE id = ?", (number,)).fetchone())
