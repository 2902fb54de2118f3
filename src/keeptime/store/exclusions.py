"""Events left out, per objective, day (UTC) and reason, so that a report can list why.

Guarantees: the sum over the reasons of some days is the `excluded` of their counts. Rows come into being only where
something was excluded, and there are at most as many a day as the contract has reasons. Runs inside the caller's
transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keeptime.model.exclusion import Exclusion, ExclusionKind, LeftOut
from keeptime.store.sql import Database

DAY = 86_400

_OF_CONTRACT = (
    "FROM exclusion e JOIN objective o ON o.id = e.objective WHERE o.contract = ? AND e.day BETWEEN ? AND ?"
)


@dataclass(frozen=True, slots=True)
class DayExclusion:
    """So many events of one objective were left out in one day (days since 1970-01-01, UTC) for one reason."""

    day: int
    exclusion: Exclusion
    events: int


@dataclass(frozen=True, slots=True)
class ExclusionTable:
    """The table `exclusion` of one database."""

    db: Database

    def add(self, day: int, found: Mapping[int, Mapping[Exclusion, int]]) -> None:
        """Add to a day what was left out, by objective id; once the day is over the ledger is due to say so."""
        self.db.executemany(
            "INSERT INTO exclusion VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (objective, day, kind, reason, author) "
            "DO UPDATE SET events = exclusion.events + excluded.events",
            (
                (identity, day, why.kind.value, why.reason, why.author, events)
                for identity, reasons in found.items()
                for why, events in reasons.items()
                if events
            ),
        )
        self.db.executemany(
            "INSERT INTO exclusion_due VALUES (?, ?) ON CONFLICT (day, objective) DO NOTHING",
            ((day, identity) for identity, reasons in found.items() if any(reasons.values())),
        )

    def between(self, identity: int, first: int, last: int) -> tuple[DayExclusion, ...]:
        """One objective's rows of these days, both included, oldest first."""
        rows = self.db.execute(
            "SELECT day, kind, reason, author, events FROM exclusion "
            "WHERE objective = ? AND day BETWEEN ? AND ? ORDER BY day, kind, reason, author",
            (identity, first, last),
        )
        return tuple(
            DayExclusion(day, Exclusion(ExclusionKind(kind), reason, author), events)
            for day, kind, reason, author, events in rows
        )

    def of_contract(self, contract: str, first: int, last: int, most: int) -> tuple[LeftOut, ...]:
        """Every objective's rows of the newest `most` days among these in which there are any, newest first."""
        asked = (contract, first, last)
        (oldest,) = self.db.execute(
            f"SELECT min(day) FROM (SELECT DISTINCT e.day {_OF_CONTRACT} ORDER BY e.day DESC LIMIT ?) AS newest",
            (*asked, most),
        ).fetchone()
        rows = self.db.execute(
            f"SELECT e.day, o.name, e.kind, e.reason, e.author, e.events {_OF_CONTRACT} "
            "AND e.day >= ? ORDER BY e.day DESC, o.name, e.kind, e.reason, e.author",
            (*asked, last + 1 if oldest is None else oldest),
        )
        return tuple(
            LeftOut(name, day, Exclusion(ExclusionKind(kind), reason, author), events)
            for day, name, kind, reason, author, events in rows
        )

    def prune(self, oldest: int) -> None:
        """Forget the days before this one."""
        self.db.execute("DELETE FROM exclusion WHERE day < ?", (oldest,))
