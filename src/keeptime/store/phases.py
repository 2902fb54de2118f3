"""Where the time of probes went, by the minute and by the hour.

Guarantees: what is added late is in both levels, as the counts are; a level is cut off when the counts of that
level are. Runs inside the caller's transaction; keeps nothing in memory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keeptime.model.phases import PHASES, PhaseSums
from keeptime.store.counts import at, cut, totals
from keeptime.store.grid import Piece, Stage, row_at
from keeptime.store.sql import Database

_COLUMNS = ("probes", *PHASES)


def levels_of(stages: Sequence[Stage]) -> tuple[Stage, Stage]:
    """Those of the store's levels that phases are kept at: minutes and hours."""
    return next(each for each in stages if each.seconds == 60), stages[-1]


@dataclass(frozen=True, slots=True)
class PhaseTables:
    """The phases_* tables of one database; `stages`: what `levels_of` gives."""

    db: Database
    stages: tuple[Stage, Stage]

    def add(self, tick: int, spent: Mapping[int, PhaseSums], boundary: int) -> None:
        """Add what the probes of one tick spent, by the id of the contract's requests."""
        for stage in self.stages:
            first = stage.floor(tick)
            if first >= self.kept_from(stage, boundary):
                rows = ((row_at(first, identity), each.probes, *each.spent) for identity, each in spent.items())
                self.db.executemany(_ADD[stage.seconds], rows)

    def prune(self, boundary: int, most: int) -> None:
        """Cut off at most so many rows of each level whose time is over."""
        for stage in self.stages:
            cut(self.db, f"phases_{stage.seconds}", row_at(self.kept_from(stage, boundary)), most)

    def kept_from(self, stage: Stage, boundary: int) -> int:
        return stage.kept_from(boundary, sketches=False)

    def summed(self, identity: int, start: int, end: int, step: int) -> dict[int, PhaseSums]:
        """One contract's sums over each bucket of `step` ticks, by its number; `start` is on that grid."""
        minutes, hours = self.stages
        stage = minutes if step % hours.ticks else hours
        query = totals(f"phases_{stage.seconds}", _COLUMNS, step)
        rows = self.db.execute(query, at(Piece(stage, start, end), identity))
        return {bucket: PhaseSums(probes, tuple(spent)) for bucket, probes, *spent in rows}


def _add(table: str) -> str:
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in _COLUMNS)
    return (
        f"INSERT INTO {table} (at, {', '.join(_COLUMNS)}) VALUES (?{', ?' * len(_COLUMNS)}) "
        f"ON CONFLICT (at) DO UPDATE SET {added}"
    )


_ADD = {seconds: _add(f"phases_{seconds}") for seconds in (60, 3600)}
