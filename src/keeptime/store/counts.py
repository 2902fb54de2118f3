"""Counts at every level: added by tick, summed up when a bucket closes, cut off when their time is over.

Guarantees: all levels agree, also after an addition to a tick whose buckets are closed. Runs inside the caller's
transaction; keeps nothing in memory.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally
from keeptime.store.grid import ID_BITS, MOST_IDS, Piece, Stage, cover, first_of, row_at
from keeptime.store.spans import AT_A_TIME, Histories, Spans, read
from keeptime.store.sql import Database

Row = tuple[int, int, int, int, int, int]
"""at, good, bad, skipped, suspect, excluded"""

_BUCKETS = (
    "WITH RECURSIVE bucket (first) AS (SELECT CAST(? AS BIGINT) UNION ALL SELECT first + ? FROM bucket "
    "WHERE first + ? < ?)"
)

_COUNTED = ("good", "bad", "skipped", "suspect", "excluded")


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts_* tables of one database."""

    db: Database
    stages: tuple[Stage, ...]

    def add(self, tick: int, tallies: Mapping[int, Tally], boundary: int) -> None:
        """Add one tick's tallies (by objective id), and close every bucket that ends by `boundary`."""
        begin(self.db, "counts", self.stages, tick)
        counted = {identity: tally for identity, tally in tallies.items() if tally != Tally()}
        for stage in self.stages:
            first = stage.floor(tick)
            closed = stage.ticks == 1 or first < self._summed_to(stage)
            if closed and first >= stage.kept_from(boundary, sketches=False):
                self.put(stage, (_row(row_at(first, identity), tally) for identity, tally in counted.items()))
        self._close(boundary)

    def put(self, stage: Stage, rows: Iterable[Row]) -> None:
        """Add rows to one level, and to no other."""
        table = f"counts_{stage.name}"
        added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in _COUNTED)
        self.db.executemany(
            f"INSERT INTO {table} (at, {', '.join(_COUNTED)}) VALUES (?, ?, ?, ?, ?, ?) "
            f"ON CONFLICT (at) DO UPDATE SET {added}",
            rows,
        )

    def prune(self, boundary: int, most: int) -> None:
        """Cut off at most so many rows of each level whose time is over."""
        for stage in self.stages:
            limit = row_at(stage.kept_from(boundary, sketches=False))
            cut(self.db, f"counts_{stage.name}", limit, most)

    def held(self, stage: Stage, boundary: int) -> Piece:
        """What this level can answer for when the next tick is `boundary`."""
        end = boundary if stage.ticks == 1 else self._summed_to(stage)
        return Piece(stage, stage.kept_from(boundary, sketches=False), end)

    def between(self, identity: int, start: int, end: int, step: int, boundary: int) -> Iterator[tuple[int, Tally]]:
        """(first tick, tally) of one objective's buckets, at most `step` ticks long where so fine ones are kept."""
        held = [self.held(stage, boundary) for stage in preferred(self.stages, step)]
        for piece in cover(held, start, end):
            rows = self.db.execute(
                series(f"counts_{piece.stage.name}", "good, bad, skipped, suspect, excluded"), at(piece, identity)
            )
            for first, *counts in rows:
                yield first, Tally(*counts)

    def summed(self, identity: int, start: int, end: int, step: int, boundary: int) -> dict[int, Tally]:
        """One objective's sums over each bucket of `step` ticks, by its number; none of one without a row."""
        held = [self.held(stage, boundary) for stage in preferred(self.stages, step)]
        sums: dict[int, Tally] = {}
        for piece in cover(held, start, end):
            query = totals(f"counts_{piece.stage.name}", _COUNTED, step)
            for bucket, *counts in self.db.execute(query, at(piece, identity)):
                tally = Tally(*counts)
                sums[bucket] = sums[bucket] + tally if bucket in sums else tally
        return sums

    def histories(
        self, pieces: Sequence[Piece], ids: Mapping[ObjectiveKey, int], born: Mapping[int, int]
    ) -> Histories:
        """What these pieces hold of every objective."""
        spans = {identity: Spans() for identity in born}
        for piece in pieces:
            for found in spans.values():
                found.begin(piece.stage.ticks)
            step = max(1, AT_A_TIME // max(1, len(spans))) * piece.stage.ticks
            for start in range(piece.start, piece.end, step):
                read(spans, self._rows(piece.stage, start, min(start + step, piece.end)))
        return Histories({key: i for key, i in ids.items() if i in born}, dict(born), spans)

    def _rows(self, stage: Stage, start: int, end: int) -> Iterable[tuple[int, ...]]:
        """The key and the counts of every row of these buckets, oldest first."""
        return self.db.execute(
            f"SELECT at, good, bad, skipped, excluded FROM counts_{stage.name} "
            "WHERE at >= ? AND at < ? ORDER BY at",
            (row_at(start), row_at(end)),
        )

    def _close(self, boundary: int) -> None:
        """Sum up every bucket that has closed since the last time, each from the next finer level."""
        for finer, stage in zip(self.stages, self.stages[1:], strict=False):
            start, end = self._summed_to(stage), stage.floor(boundary)
            if start < end:
                self.db.execute(
                    f"INSERT INTO counts_{stage.name} SELECT "
                    f"((at >> {ID_BITS}) / {stage.ticks} * {stage.ticks}) << {ID_BITS} | (at & {MOST_IDS - 1}), "
                    f"sum(good), sum(bad), sum(skipped), sum(suspect), sum(excluded) FROM counts_{finer.name} "
                    "WHERE at >= ? AND at < ? GROUP BY 1",
                    (row_at(start), row_at(end)),
                )
                set_summed(self.db, "counts", stage, row_at(end))

    def _summed_to(self, stage: Stage) -> int:
        return first_of(summed(self.db, "counts", stage))


def _row(key: int, tally: Tally) -> Row:
    return key, tally.good, tally.bad, tally.skipped, tally.suspect, tally.excluded


def begin(db: Database, kind: str, stages: Sequence[Stage], tick: int) -> None:
    """Where nothing was summed up yet: every bucket before this tick's is closed."""
    db.executemany(
        "INSERT INTO summed VALUES (?, ?, ?) ON CONFLICT (kind, seconds) DO NOTHING",
        ((kind, stage.seconds, row_at(stage.floor(tick))) for stage in stages),
    )


def summed(db: Database, kind: str, stage: Stage) -> int:
    """The `at` below which a level is summed up; all of it before `begin`."""
    query = "SELECT below FROM summed WHERE kind = ? AND seconds = ?"
    row = db.execute(query, (kind, stage.seconds)).fetchone()
    return 0 if row is None else int(row[0])


def set_summed(db: Database, kind: str, stage: Stage, below: int) -> None:
    db.execute(
        "INSERT INTO summed VALUES (?, ?, ?) ON CONFLICT (kind, seconds) DO UPDATE SET below = excluded.below",
        (kind, stage.seconds, below),
    )


def cut(db: Database, table: str, limit: int, most: int) -> None:
    """Delete the oldest rows below `limit`, at most so many."""
    oldest = db.execute(f"SELECT min(at) FROM {table}").fetchone()[0]
    if oldest is not None and oldest < limit:
        last = db.execute(f"SELECT at FROM {table} ORDER BY at LIMIT 1 OFFSET ?", (most,)).fetchone()
        db.execute(f"DELETE FROM {table} WHERE at < ?", (limit if last is None else min(limit, last[0]),))


def preferred(stages: Sequence[Stage], step: int) -> list[Stage]:
    """The coarsest level that is fine enough for `step` first, then the finer ones, then what is only coarser."""
    fine = [stage for stage in stages if stage.ticks <= step and step % stage.ticks == 0] or [stages[0]]
    return [*reversed(fine), *(stage for stage in stages if stage not in fine)]


def series(table: str, columns: str) -> str:
    """One query for each bucket of one id in turn, by its key; parameters from `at`."""
    return f"{_BUCKETS} SELECT first, {columns} FROM {_joined(table)} ORDER BY first"


def totals(table: str, columns: Sequence[str], step: int) -> str:
    """The same for the sums of every `step` ticks, by their number."""
    sums = ", ".join(f"CAST(sum({name}) AS BIGINT)" for name in columns)
    return f"{_BUCKETS} SELECT first / {step}, {sums} FROM {_joined(table)} GROUP BY 1"


def _joined(table: str) -> str:
    return f"bucket JOIN {table} ON at = (first << {ID_BITS} | ?)"


def at(piece: Piece, identity: int) -> tuple[int, ...]:
    return piece.start, piece.stage.ticks, piece.stage.ticks, piece.end, identity
