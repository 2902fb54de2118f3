"""The store's part that events use: each call is one step, durable when it returns.

Guarantees: a call that raised StoreError changed nothing.
"""

from contextlib import AbstractContextManager

from keeptime.model.event import Event, EventQuery
from keeptime.store.events import Events
from keeptime.store.sql import Database


class StoredEvents:
    """What was changed, on a database; the store is one."""

    __slots__ = ()
    db: Database

    def _step(self) -> AbstractContextManager[None]:
        """A transaction."""
        raise NotImplementedError

    def note_event(self, new: Event) -> tuple[Event, bool]:
        """The event with its number, and whether it is new: one of the same key is what it was."""
        with self._step():
            events = Events(self.db)
            known = events.under(new.key) if new.key else None
            return (events.add(new), True) if known is None else (known, False)

    def events(self, asked: EventQuery) -> tuple[Event, ...]:
        """Newest first. Raises KeyError where there is none to begin after."""
        with self.db.speaking():
            return Events(self.db).list(asked)
