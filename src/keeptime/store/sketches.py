"""Latency histograms at every level: added by tick, summed up a few signals at a time, cut off when too old.

Guarantees: no count is lost or doubled while a closed bucket is being summed up over several commits, nor by an
addition to a tick that was closed long ago. Runs inside the caller's transaction; keeps nothing in memory.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from keeptime.model.sketch import Sketch, merged
from keeptime.store.counts import at, begin, cut, preferred, series, set_summed, summed
from keeptime.store.grid import Piece, Stage, cover, first_of, id_of, row_at
from keeptime.store.packing import Sum, packed, unpacked
from keeptime.store.sql import Database


@dataclass(frozen=True, slots=True)
class Sketches:
    """The sketches_* tables of one database. A level's mark `below` is a row's key: smaller ones are summed up."""

    db: Database
    stages: tuple[Stage, ...]

    def add(self, tick: int, sketches: Mapping[int, Sketch], boundary: int, *, late: bool) -> None:
        """Add one tick's sketches (by signal id). `late`: the tick may have some already."""
        begin(self.db, "sketches", self.stages, tick)
        for stage in self.stages:
            first = stage.floor(tick)
            below = summed(self.db, "sketches", stage)
            if first < self.kept_from(stage, boundary):
                continue
            chosen = {
                row_at(first, identity): sketch
                for identity, sketch in sketches.items()
                if sketch.count and (stage.ticks == 1 or row_at(first, identity) < below)
            }
            self.put(stage, chosen, fresh=stage.ticks == 1 and not late)

    def put(self, stage: Stage, sketches: Mapping[int, Sketch], *, fresh: bool) -> None:
        """Add rows (by key) to one level, and to no other. `fresh`: none of them is there yet."""
        if not fresh:
            sketches = {key: self._with(stage, key, sketch) for key, sketch in sketches.items()}
        self.put_packed(stage, ((key, packed(sketch)) for key, sketch in sketches.items()))

    def put_packed(self, stage: Stage, rows: Iterable[tuple[int, bytes]]) -> None:
        """Write rows (key, packed sketch) to one level in place of any that are there."""
        self.db.executemany(
            f"INSERT INTO sketches_{stage.name} VALUES (?, ?) ON CONFLICT (at) DO UPDATE SET data = excluded.data",
            rows,
        )

    def sum_up(self, boundary: int, signals: int) -> None:
        """One step at each level: so many signals that a closed bucket is done before the next one closes."""
        ready = boundary
        for finer, stage in zip(self.stages, self.stages[1:], strict=False):
            below = self._sum_some(finer, stage, ready, -(-signals // max(1, stage.ticks - 1)), signals)
            ready = first_of(below)

    def prune(self, boundary: int, most: int) -> None:
        """Cut off at most so many rows of each level whose time is over, none that a coarser level still needs."""
        for stage in self.stages:
            cut(self.db, f"sketches_{stage.name}", row_at(self.kept_from(stage, boundary)), most)

    def between(self, identity: int, start: int, end: int, boundary: int) -> Sketch:
        """One signal's sum over ticks [start, end), from the coarsest buckets that lie within."""
        held = [self._held(stage, boundary) for stage in preferred(self.stages, self.stages[-1].ticks)]
        found = []
        for piece in cover(held, start, end):
            rows = self.db.execute(series(f"sketches_{piece.stage.name}", "data"), at(piece, identity))
            found += [unpacked(data) for _, data in rows]
        return merged(found)

    def summed(self, identity: int, start: int, end: int, step: int, boundary: int) -> dict[int, Sketch]:
        """One signal's sums over each bucket of `step` ticks, by its number; none of one without requests."""
        held = [self._held(stage, boundary) for stage in preferred(self.stages, step)]
        sums: dict[int, Sum] = {}
        for piece in cover(held, start, end):
            rows = self.db.execute(series(f"sketches_{piece.stage.name}", "data"), at(piece, identity))
            for first, data in rows:
                bucket = first // step
                if bucket not in sums:
                    sums[bucket] = Sum()
                sums[bucket].add(data)
        return {bucket: each.sketch() for bucket, each in sums.items()}

    def _held(self, stage: Stage, boundary: int) -> Piece:
        end = boundary if stage.ticks == 1 else first_of(summed(self.db, "sketches", stage))
        return Piece(stage, self.kept_from(stage, boundary), end)

    def kept_from(self, stage: Stage, boundary: int) -> int:
        """The oldest bucket kept: its time is not over, or the next level has not summed it up yet."""
        kept = stage.kept_from(boundary, sketches=True)
        coarser = next((other for other in self.stages if other.ticks > stage.ticks), None)
        return kept if coarser is None else min(kept, first_of(summed(self.db, "sketches", coarser)))

    def _with(self, stage: Stage, key: int, sketch: Sketch) -> Sketch:
        row = self.db.execute(f"SELECT data FROM sketches_{stage.name} WHERE at = ?", (key,)).fetchone()
        return sketch if row is None else merged([unpacked(row[0]), sketch])

    def _sum_some(self, finer: Stage, stage: Stage, ready: int, most: int, signals: int) -> int:
        """Sum up the next signals of the oldest closed bucket; the level's new mark."""
        below = summed(self.db, "sketches", stage)
        bucket, identity = first_of(below), id_of(below)
        if bucket + stage.ticks > ready:
            return below
        end = identity + most
        rows: dict[int, list[Sketch]] = {}
        for first in range(bucket, bucket + stage.ticks, finer.ticks):
            for key, data in self.db.execute(
                f"SELECT at, data FROM sketches_{finer.name} WHERE at >= ? AND at < ?",
                (row_at(first, identity), row_at(first) + end),
            ):
                rows.setdefault(row_at(bucket, id_of(key)), []).append(unpacked(data))
        self.put(stage, {key: merged(parts) for key, parts in rows.items()}, fresh=True)
        below = row_at(bucket, end) if end <= signals else row_at(self._next(finer, stage, bucket, ready))
        set_summed(self.db, "sketches", stage, below)
        return below

    def _next(self, finer: Stage, stage: Stage, bucket: int, ready: int) -> int:
        """The next bucket with anything to sum up; over a long downtime there is none."""
        query = f"SELECT min(at) FROM sketches_{finer.name} WHERE at >= ?"
        found = self.db.execute(query, (row_at(bucket + stage.ticks),)).fetchone()[0]
        newest = stage.floor(ready)
        return newest if found is None else max(bucket + stage.ticks, min(newest, stage.floor(first_of(found))))
