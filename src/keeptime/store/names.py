"""Small numbers for names: objectives, with the first tick each was observed at, and signals.

Guarantees: a name keeps its number for good. What is held here is a copy: after a failed transaction `load` again.
"""

import sqlite3
from dataclasses import dataclass, field

from keeptime.errors import StoreError
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.store.grid import MOST_IDS


@dataclass(slots=True)
class Names:
    """`born` by objective id; those that were never observed are not in it."""

    db: sqlite3.Connection
    objectives: dict[ObjectiveKey, int] = field(default_factory=dict)
    born: dict[int, int] = field(default_factory=dict)
    signals: dict[SignalKey, int] = field(default_factory=dict)

    def load(self) -> None:
        self.objectives, self.born, self.signals = {}, {}, {}
        for identity, contract, name, born in self.db.execute("SELECT id, contract, name, born FROM objective"):
            self.objectives[ObjectiveKey(contract, name)] = identity
            if born is not None:
                self.born[identity] = born
        for identity, contract, name in self.db.execute("SELECT id, contract, name FROM signal"):
            self.signals[SignalKey(contract, Signal(name))] = identity

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
        done = self.db.execute(f"INSERT INTO {table} (contract, name) VALUES (?, ?)", (contract, name))
        identity = done.lastrowid
        if identity is None or identity >= MOST_IDS:
            raise StoreError(
                f"the store has room for {MOST_IDS - 1} names of a kind; {contract}/{name} is one too many"
            )
        return identity
