"""Which ticks were recorded, which only in part, and which not at all.

Guarantees: a tick that keeptime did not live through whole is never taken for a quiet one: after any end, also a
kill, the tick after the last recorded one and the tick of the next start are incomplete, what lies between them
was not lived. Runs inside the caller's transaction.
"""

from dataclasses import dataclass

from keeptime.store.sql import Database


@dataclass(frozen=True, slots=True)
class Lived:
    """The tables lived (runs of recorded ticks) and incomplete."""

    db: Database

    def last(self) -> int | None:
        """The newest recorded tick; None in a new store."""
        row = self.db.execute("SELECT max(last) FROM lived").fetchone()
        return None if row[0] is None else int(row[0])

    def record(self, tick: int, *, incomplete: bool) -> None:
        """This tick was recorded. Once incomplete, always incomplete."""
        grown = self.db.execute("UPDATE lived SET last = ? WHERE last = ?", (tick, tick - 1)).rowcount
        inside = "SELECT 1 FROM lived WHERE first <= ? AND last >= ?"
        if not grown and self.db.execute(inside, (tick, tick)).fetchone() is None:
            self.db.execute("INSERT INTO lived VALUES (?, ?)", (tick, tick))
        if incomplete:
            self._mark(tick)

    def started(self, tick: int) -> None:
        """keeptime starts within this tick: it saw neither its beginning nor the end of the last in progress."""
        last = self.last()
        if last is None:
            self._mark(tick)
        elif tick > last:
            self._mark(last + 1)
            self._mark(tick)

    def incomplete(self, start: int, end: int) -> tuple[int, ...]:
        """Ticks in [start, end) that were lived through in part only."""
        query = "SELECT tick FROM incomplete WHERE tick >= ? AND tick < ? ORDER BY tick"
        return tuple(tick for (tick,) in self.db.execute(query, (start, end)))

    def not_lived(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """Runs (first, last) of ticks in [start, end) of which nothing was recorded, incomplete ones too."""
        gaps, at = [], start
        query = "SELECT first, last FROM lived WHERE last >= ? AND first < ? ORDER BY first"
        for first, last in self.db.execute(query, (start, end)):
            if first > at:
                gaps.append((at, first - 1))
            at = max(at, last + 1)
        return (*gaps, (at, end - 1)) if at < end else tuple(gaps)

    def runs(self, start: int, end: int) -> tuple[tuple[int, int], ...]:
        """(first, end) of each run of ticks in [start, end) that were recorded, oldest first."""
        query = "SELECT first, last FROM lived WHERE last >= ? AND first < ? ORDER BY first"
        return tuple(
            (max(first, start), min(last + 1, end)) for first, last in self.db.execute(query, (start, end))
        )

    def prune(self, oldest: int) -> None:
        """Forget what lies before this tick."""
        self.db.execute("DELETE FROM incomplete WHERE tick < ?", (oldest,))
        self.db.execute("DELETE FROM lived WHERE last < ? AND last < (SELECT max(last) FROM lived)", (oldest,))

    def _mark(self, tick: int) -> None:
        self.db.execute("INSERT INTO incomplete VALUES (?) ON CONFLICT (tick) DO NOTHING", (tick,))
