"""Requests that are kept as evidence, and what they say of incidents. Runs inside the caller's transaction.

Guarantees: at most so many of either kind; the oldest are forgotten first. What a newer keeptime wrote of one
beyond what is known here is left out.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.explanation import Cause, Changed, Explanation, Looked, PhaseTime, Share
from keeptime.model.trace import Why
from keeptime.store.sql import Database, Value

MOST_SLOW, MOST_USUAL = 200_000, 300_000
"""Exemplars: some 400 bytes each."""
MOST_EXPLAINED = 10_000
EMPTY: tuple[object, ...] = ("", None, {}, (), [], 1.0)
_KNOWN = {field.name for field in fields(Exemplar)} - {"contract", "at_ns", "why"}


@dataclass(frozen=True, slots=True)
class Exemplars:
    """The tables exemplar and explanation of one database."""

    db: Database

    def add(self, new: Sequence[Exemplar]) -> None:
        rows = [(each.contract, each.at_ns, int(each.why is Why.USUAL), _written(each)) for each in new]
        self.db.executemany("INSERT INTO exemplar (contract, at, usual, said) VALUES (?, ?, ?, ?)", rows)

    def list(self, asked: ExemplarQuery) -> tuple[Exemplar, ...]:
        """Newest first."""
        terms: dict[str, Value] = {"contract = ?": asked.contract}
        if asked.since is not None:
            terms["at >= ?"] = round(asked.since * 1e9)
        if asked.until is not None:
            terms["at < ?"] = round(asked.until * 1e9)
        if asked.why is not None:
            terms["usual = ?"] = int(asked.why is Why.USUAL)
        where = " AND ".join(terms)
        statement = f"SELECT contract, at, said FROM exemplar WHERE {where} ORDER BY at DESC, id DESC LIMIT ?"
        found = (_read(*row) for row in self.db.execute(statement, (*terms.values(), asked.most)))
        return tuple(each for each in found if asked.why in (None, each.why))

    def prune(self) -> None:
        """Forget the oldest of those that are too many."""
        for usual, most in ((0, MOST_SLOW), (1, MOST_USUAL)):
            oldest = "SELECT id FROM exemplar WHERE usual = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
            row = self.db.execute(oldest, (usual, most)).fetchone()
            if row is not None:
                self.db.execute("DELETE FROM exemplar WHERE usual = ? AND id <= ?", (usual, row[0]))
        row = self.db.execute(
            "SELECT at FROM explanation ORDER BY at DESC LIMIT 1 OFFSET ?", (MOST_EXPLAINED,)
        ).fetchone()
        if row is not None:
            self.db.execute("DELETE FROM explanation WHERE at <= ?", (row[0],))

    def explained(self, incident: str) -> Explanation | None:
        row = self.db.execute("SELECT at, said FROM explanation WHERE incident = ?", (incident,)).fetchone()
        return None if row is None else _explanation(incident, row[0], json.loads(row[1]))

    def explain(self, found: Explanation) -> None:
        """In place of what was said before."""
        said = {name: value for name, value in asdict(found).items() if name not in ("incident", "at")}
        self.db.execute(
            "INSERT INTO explanation VALUES (?, ?, ?) ON CONFLICT (incident) DO UPDATE "
            "SET at = excluded.at, said = excluded.said",
            (found.incident, found.at, json.dumps(said, allow_nan=False)),
        )


def _written(one: Exemplar) -> str:
    """What is empty is left out."""
    said = {name: getattr(one, name) for name in sorted(_KNOWN)}
    kept = {name: value for name, value in said.items() if name == "latency_ns" or value not in EMPTY}
    return json.dumps({"why": one.why.value, **kept}, separators=(",", ":"), ensure_ascii=False)


def _read(contract: str, at: int, said: str) -> Exemplar:
    found: dict[str, Any] = json.loads(said)
    why = Why(found.pop("why"))
    known = {name: value for name, value in found.items() if name in _KNOWN}
    if "stacks" in known:
        known["stacks"] = tuple((stack, count) for stack, count in known["stacks"])
    return Exemplar(contract, at, why=why, **known)


def _explanation(incident: str, at: float, said: dict[str, Any]) -> Explanation:
    causes = tuple(
        Cause(
            each["kind"],
            each["sentence"],
            tuple(each["names"]),
            None if each["share"] is None else Share(**each["share"]),
        )
        for each in said["causes"]
    )
    return Explanation(
        incident,
        at,
        tuple(said["lines"]),
        causes,
        None if said["changed"] is None else Changed(**said["changed"]),
        tuple(PhaseTime(**each) for each in said["phases"]),
        None if said["looked"] is None else Looked(**said["looked"]),
        said.get("stood", ""),
    )
