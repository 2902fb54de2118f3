"""What the running daemon looks up in its store for whoever asks: periods, the ledger, undelivered messages.

Guarantees: everything is asked in the store's thread; nothing is kept here. The daemon is one of these, and sets
the parts.
"""

from collections.abc import Collection, Sequence

from keeptime.app.looking import Looking
from keeptime.app.periods import PeriodView
from keeptime.app.ports import Store
from keeptime.app.storing import StoreThread
from keeptime.app.undelivered import MOST_LETTERS, Undelivered
from keeptime.contract.terms import Contract
from keeptime.model.alert import Letter
from keeptime.model.ledger import LedgerHead, LedgerQuery, LedgerRow
from keeptime.model.version import VersionUse


class Records:
    """Each call raises StoreError."""

    _store: Store
    _in_store: StoreThread
    _looking: Looking
    _undelivered: Undelivered
    _in_force: Sequence[Contract]
    _judged_at: float | None
    url = ""
    """Where it is served, once it is."""

    @property
    def judged(self) -> float | None:
        """When the newest tick was judged, in Unix seconds; None before the first."""
        return self._judged_at

    @property
    def in_force(self) -> Sequence[Contract]:
        """The contracts that are kept now, with the terms that are judged by."""
        return self._in_force

    async def periods(self, contract: str) -> Sequence[PeriodView]:
        """The periods of a contract that are over and kept, newest first."""
        return await self._looking.periods(contract)

    async def versions(self, contract: str) -> Sequence[VersionUse]:
        """Every use of a version of this contract, newest first."""
        return await self._in_store(self._store.versions, contract)

    async def ledger(self, asked: LedgerQuery) -> Sequence[LedgerRow]:
        """The rows of the ledger that are wanted, oldest first."""
        return await self._in_store(self._store.ledger, asked)

    async def ledger_head(self) -> LedgerHead:
        """Its newest row."""
        return await self._in_store(self._store.ledger_head)

    async def letters(self, *, dead: bool, after: int = 0, most: int = MOST_LETTERS) -> Sequence[Letter]:
        """The oldest messages after this row that were not delivered; `dead`: dead letters alone."""
        return await self._undelivered.letters(dead=dead, after=after, most=most)

    async def replay(self, *, rows: Collection[int] | None, contract: str | None) -> int:
        """Send dead letters of these rows and this contract (None: any) again; how many."""
        return await self._undelivered.replay(rows=rows, contract=contract)

    async def discard(self, author: str, reason: str, *, rows: Collection[int] | None, contract: str | None) -> int:
        """Forget dead letters of these rows and this contract (None: any); how many."""
        return await self._undelivered.discard(author, reason, rows=rows, contract=contract)
