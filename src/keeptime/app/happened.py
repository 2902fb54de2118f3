"""What happened to objectives, for whoever asks: incidents, and all that is known of one.

Guarantees: what is answered is what was committed; of the newest ones, which every look at the page wants, one look
into the store a second at most.
"""

from collections.abc import Sequence
from typing import Protocol

from keeptime.app.ports import Store
from keeptime.clock import Clock
from keeptime.errors import KeeptimeError, StoreError
from keeptime.model.incident import Dossier, Incident, IncidentQuery
from keeptime.tell.ports import InStore

LATELY = 30 * 86_400.0
"""Seconds within which an incident was not over yet that the page shows."""
SHOWN = 3
"""Incidents of a contract on the page at most."""


class Unknown(KeeptimeError):
    """There is no such incident; its text says which there are."""


class Happened(Protocol):
    """Incidents; `keeptime.testing` ships a fake."""

    async def incidents(self, asked: IncidentQuery) -> Sequence[Incident]:
        """Newest first, without their changes. Raises Unknown and StoreError."""
        ...

    async def incident(self, name: str) -> Dossier | None:
        """All that is known of the incident of this id. Raises StoreError."""
        ...

    async def newest(self) -> Sequence[Incident]:
        """Of each contract the newest, newest first; as last seen where the store cannot be read."""
        ...


class StoreHappened:
    """A `Happened` of a store."""

    def __init__(self, store: Store, in_store: InStore, clock: Clock) -> None:
        self._store, self._in_store, self._clock = store, in_store, clock
        self._newest: Sequence[Incident] = ()
        self._looked_at: int | None = None

    async def incidents(self, asked: IncidentQuery) -> Sequence[Incident]:
        try:
            return await self._in_store(self._store.incidents, asked)
        except KeyError:
            raise Unknown(
                f"after={asked.after}: there is no such incident; expected the `next` of a page"
            ) from None

    async def incident(self, name: str) -> Dossier | None:
        return await self._in_store(self._store.incident, name)

    async def newest(self) -> Sequence[Incident]:
        at = self._clock.monotonic_ns()
        if self._looked_at is None or at - self._looked_at >= 1_000_000_000:
            self._looked_at = at
            since = self._clock.wall_ns() / 1e9 - LATELY
            try:
                self._newest = await self._in_store(self._store.newest_incidents, since, SHOWN)
            except StoreError:
                return self._newest
        return self._newest
