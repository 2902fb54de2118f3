"""Which version of each contract was in force from when to when, and what each said.

Guarantees: an edit ends one version and begins another; nothing of the old one is changed, neither what it says nor
what was counted by it. Each change is a row of the ledger and an event. Runs inside the caller's transaction.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.model.event import NEW_CONTRACT
from keeptime.model.ledger import LedgerKind
from keeptime.model.version import ContractVersion, VersionUse
from keeptime.store.events import Events
from keeptime.store.ledger import Ledger
from keeptime.store.sql import Database


@dataclass(frozen=True, slots=True)
class Versions:
    """The table contract_version of one database."""

    db: Database

    def keep(self, kept: Sequence[ContractVersion], at: float) -> None:
        """These are the contracts from now on: what is new, edited or gone becomes rows."""
        before = dict(self.db.execute("SELECT contract, version FROM contract_version WHERE until IS NULL"))
        for each in kept:
            if before.get(each.contract) != each.version:
                self._begin(each, before.get(each.contract), at)
        for contract in sorted(before.keys() - {each.contract for each in kept}):
            self._end(contract, at)
            said = {"change": "removed", "version": None, "before": before[contract]}
            Ledger(self.db).append(at, LedgerKind.CONTRACT, contract, said)
            Events(self.db).of_contract(contract, "", "the contract was removed", at)

    def all(self, contract: str) -> tuple[VersionUse, ...]:
        """Every use of a version of this contract, newest first."""
        rows = self.db.execute(
            "SELECT version, file, written, since, until FROM contract_version WHERE contract = ? ORDER BY id DESC",
            (contract,),
        )
        return tuple(
            VersionUse(ContractVersion(contract, version, file, written), since, until)
            for version, file, written, since, until in rows
        )

    def _begin(self, each: ContractVersion, before: str | None, at: float) -> None:
        self._end(each.contract, at)
        self.db.execute(
            "INSERT INTO contract_version (contract, version, since, file, written) VALUES (?, ?, ?, ?, ?)",
            (each.contract, each.version, at, each.file, each.written),
        )
        said = {
            "change": "new" if before is None else "edited",
            "version": each.version,
            "before": before,
            "sha256": hashlib.sha256(each.written.encode()).hexdigest(),
            "file": each.file,
        }
        Ledger(self.db).append(at, LedgerKind.CONTRACT, each.contract, said)
        text = NEW_CONTRACT if before is None else "the contract was edited"
        Events(self.db).of_contract(each.contract, each.version, text, at)

    def _end(self, contract: str, at: float) -> None:
        update = "UPDATE contract_version SET until = ? WHERE contract = ? AND until IS NULL"
        self.db.execute(update, (at, contract))
