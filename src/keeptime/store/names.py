"""Small numbers for names: objectives, with the first tick each was observed at, and signals.

Guarantees: a name keeps its number for good, and numbers count up from 1 without a gap. What is held here is a
copy: after a failed transaction `load` again; while `stale` it has not been.
"""

from dataclasses import dataclass, field

from keeptime.errors import StoreError
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.store.grid import MOST_IDS
from keeptime.store.sql import Database


@dataclass(slots=True)
class Names:
    """`born` by objective id; those that were never observed are not in it."""

    db: Database
    objectives: dict[ObjectiveKey, int] = field(default_factory=dict)
    born: dict[int, int] = field(default_factory=dict)
    signals: dict[SignalKey, int] = field(default_factory=dict)
    stale: bool = True

    def load(self) -> None:
        objectives, born, signals = {}, {}, {}
        for identity, contract, name, first in self.db.execute("SELECT id, contract, name, born FROM objective"):
            objectives[ObjectiveKey(contract, name)] = identity
            if first is not None:
                born[identity] = first
        for identity, contract, name in self.db.execute("SELECT id, contract, name FROM signal"):
            signals[SignalKey(contract, Signal(name))] = identity
        self.objectives, self.born, self.signals = objectives, born, signals
        self.stale = False

    def objective(self, key: ObjectiveKey) -> int:
        """Its number; a new one where it has none."""
        if key not in self.objectives:
            self.objectives[key] = self._insert("objective", key.contract, key.objective)
        return self.objectives[key]

    def observed(self, key: ObjectiveKey, tick: int) -> int:
        """Its number, remembering the first tick it was observed at."""
        identity = self.objective(key)
        if self.born.get(identity, tick + 1) > tick:
            self.db.execute("UPDATE objective SET born = ? WHERE id = ?", (tick, identity))
            self.born[identity] = tick
        return identity

    def signal(self, key: SignalKey) -> int:
        """Its number; a new one where it has none."""
        if key not in self.signals:
            self.signals[key] = self._insert("signal", key.contract, key.signal.value)
        return self.signals[key]

    def _insert(self, table: str, contract: str, name: str) -> int:
        (identity,) = self.db.execute(
            f"INSERT INTO {table} (id, contract, name) "
            f"VALUES ((SELECT coalesce(max(id), 0) + 1 FROM {table}), ?, ?) RETURNING id",
            (contract, name),
        ).fetchone()
        if identity >= MOST_IDS:
            raise StoreError(
                f"the store has room for {MOST_IDS - 1} names of a kind; {contract}/{name} is one too many"
            )
        return int(identity)
