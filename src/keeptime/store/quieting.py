"""The store's part that silences and acknowledgements use: each call is one step, durable when it returns.

Guarantees: a call that raised StoreError changed nothing.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from keeptime.model.ack import Ack
from keeptime.model.alert import Waiting
from keeptime.model.key import ObjectiveKey
from keeptime.model.silence import Silence
from keeptime.store.acks import Acks
from keeptime.store.names import Names
from keeptime.store.silences import Silences
from keeptime.store.sql import Database


class StoredQuiet:
    """What is quiet, on a database; the store is one."""

    __slots__ = ()
    db: Database
    names: Names

    def _step(self) -> AbstractContextManager[None]:
        """A transaction."""
        raise NotImplementedError

    def silence(self, new: Silence, now: float) -> Silence:
        """From now on it mutes; the silence with its number."""
        with self._step():
            return Silences(self.db).add(new, now)

    def end_silence(
        self, number: int, by: str, why: str, now: float
    ) -> tuple[Silence | None, tuple[ObjectiveKey, ...]]:
        """It is over, and of which objectives something is sent now; None where there is no such silence. One that
        was over before stays as it was."""
        with self._step():
            silences = Silences(self.db)
            one = silences.one(number)
            if one is None or one.ended is not None:
                return one, ()
            return silences.end(one, by, why, now), silences.release(now)

    def settle_silences(self, now: float) -> tuple[tuple[Silence, ...], tuple[ObjectiveKey, ...]]:
        """End those whose time is over: which, and of which objectives something is sent now."""
        with self._step():
            silences = Silences(self.db)
            over = silences.expire(now)
            return over, silences.release(now)

    def silences(self) -> Sequence[Silence]:
        """Those that are not over, oldest first."""
        with self.db.speaking():
            return Silences(self.db).open()

    def newest_silences(self, most: int, before: int = 0) -> Sequence[Silence]:
        """The newest before this number (0: of all), newest first, also those that are over."""
        with self.db.speaking():
            return Silences(self.db).newest(most, before)

    def muted(self) -> Sequence[Waiting]:
        """What silences hold back, per (contract, address)."""
        with self.db.speaking():
            return Silences(self.db).muted()

    def acknowledge(self, acks: Sequence[Ack]) -> None:
        """Somebody has taken these alerts on."""
        with self._step():
            for each in acks:
                Acks(self.db, self.names).put(each)

    def acks(self) -> dict[ObjectiveKey, Ack]:
        """The newest of each objective; whether its alert is still open is the caller's to know."""
        with self.db.speaking():
            return Acks(self.db, self.names).newest()
