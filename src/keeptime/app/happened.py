"""What happened, for whoever asks: incidents, all that is known of one, and events, which somebody tells.

Guarantees: what is answered is what was committed; of the newest ones, which every look at the page wants, one look
into the store a second at most. An event that is told again under its key is marked once.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from keeptime.app.ports import Store
from keeptime.app.quieting import Impossible
from keeptime.clock import Clock
from keeptime.contract.terms import Contract
from keeptime.errors import KeeptimeError, StoreError
from keeptime.model.event import Event, EventQuery, refusal
from keeptime.model.incident import Dossier, Incident, IncidentQuery
from keeptime.tell.ports import InStore

log = logging.getLogger("keeptime")

LATELY = 30 * 86_400.0
"""Seconds within which an incident was not over yet that the page shows."""
SHOWN = 3
"""Incidents of a contract on the page at most."""


class Unknown(KeeptimeError):
    """There is no such incident or event; its text says which there are."""


class Happened(Protocol):
    """Incidents and events; `keeptime.testing` ships a fake."""

    async def incidents(self, asked: IncidentQuery) -> Sequence[Incident]:
        """Newest first, without their changes. Raises Unknown and StoreError."""
        ...

    async def incident(self, name: str) -> Dossier | None:
        """All that is known of the incident of this id. Raises StoreError."""
        ...

    async def newest(self) -> Sequence[Incident]:
        """Of each contract the newest, newest first; as last seen where the store cannot be read."""
        ...

    async def events(self, asked: EventQuery) -> Sequence[Event]:
        """Newest first. Raises Unknown and StoreError."""
        ...

    async def mark(self, told: Event, at: float | None) -> tuple[Event, bool]:
        """The event of this instant (None: now), and whether it is new. Raises Impossible and StoreError."""
        ...


class StoreHappened:
    """A `Happened` of a store."""

    def __init__(
        self, store: Store, in_store: InStore, clock: Clock, contracts: Callable[[], Sequence[Contract]]
    ) -> None:
        self._store, self._in_store, self._clock, self._contracts = store, in_store, clock, contracts
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

    async def events(self, asked: EventQuery) -> Sequence[Event]:
        try:
            return await self._in_store(self._store.events, asked)
        except KeyError:
            raise Unknown(f"after={asked.after}: there is no such event; expected the `next` of a page") from None

    async def mark(self, told: Event, at: float | None) -> tuple[Event, bool]:
        now = self._clock.wall_ns() / 1e9
        new = replace(told, at=now if at is None else at, noted=now)
        self._must_make_sense(new, now)
        made, is_new = await self._in_store(self._store.note_event, new)
        if not is_new and not made.says_the_same(new, at=at is not None):
            raise Impossible("this Idempotency-Key came with another event before; give each event its own")
        if is_new:
            log.info("event", extra={"id": made.id, "kind": made.kind.value, "by": made.author})
        return made, is_new

    def _must_make_sense(self, new: Event, now: float) -> None:
        if why := refusal(new.at, now):
            raise Impossible(f"no event of {new.at:.3f}: {why}")
        known = {each.name for each in self._contracts()}
        for name in new.contracts:
            if name not in known:
                raise Impossible(f"no contract '{name}' is kept; expected one of {', '.join(sorted(known))}")
