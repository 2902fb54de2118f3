"""The store's part that telling uses: each call is one step, durable when it returns.

Guarantees: what it says of a row is in the database; a call that raised changed nothing. Knows nothing of counts.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from keeptime.errors import StoreError
from keeptime.model.alert import Address, AlertRow, DeadLetters, Delivery, Heard, Late, Letter, Passed, Waiting
from keeptime.model.key import ObjectiveKey
from keeptime.model.numbers import Taken
from keeptime.model.outcome import Delivered, Failed, GaveUp, Outcome
from keeptime.store.escalating import Escalating
from keeptime.store.heard import heard_of
from keeptime.store.letters import Letters
from keeptime.store.names import Names
from keeptime.store.numbering import last_taken
from keeptime.store.posting import Posting
from keeptime.store.rows import RouteSummary
from keeptime.store.sql import Database
from keeptime.store.told import told
from keeptime.store.unanswered import unanswered


class StoredOutbox:
    """An `Outbox` on a database; the store is one."""

    __slots__ = ()
    db: Database
    names: Names

    def heads(self, now: float) -> Sequence[Delivery]:
        """The oldest unsent row of each (contract, address), where it is due."""
        with self.db.speaking():
            return self._posting.heads(now)

    def next_due(self) -> float | None:
        """When the earliest head is due; None when nothing waits."""
        with self.db.speaking():
            return self._posting.next_due()

    def mark(self, outcomes: Sequence[Outcome]) -> tuple[int, ...]:
        """What became of these attempts, in one step; of each how many rows became dead letters."""
        with self._step():
            return tuple(map(self._posting.mark, outcomes))

    def delivered(self, row: int, at: float, status: str) -> None:
        """The receiver took it: the row is done."""
        self.mark([Delivered(row, at, status)])

    def failed(self, row: int, at: float, next_try: float, error: str) -> None:
        """It did not; try again at `next_try`."""
        self.mark([Failed(row, at, next_try, error)])

    def gave_up(self, row: int, at: float, error: str, *, channel: bool) -> None:
        """The row is a dead letter; `channel`: and all that waits for the same receiver of its contract."""
        self.mark([GaveUp(row, at, error, channel)])

    def dead_letters(self) -> Sequence[DeadLetters]:
        """Dead letters per (contract, address)."""
        with self.db.speaking():
            return Letters(self.db).counts()

    def letters(self, *, dead: bool, most: int, after: int = 0) -> Sequence[Letter]:
        """The oldest rows after this one that were not delivered; `dead`: dead letters alone."""
        with self.db.speaking():
            return Letters(self.db).list(dead=dead, most=most, after=after)

    def replay(self, now: float, *, rows: Collection[int] | None, contract: str | None) -> int:
        """Dead letters of these rows and this contract are due at `now`; how many they are."""
        with self._step():
            return Letters(self.db).replay(now, rows=rows, contract=contract)

    def discard(
        self, now: float, author: str, reason: str, *, rows: Collection[int] | None, contract: str | None
    ) -> int:
        """Dead letters of these rows and this contract are none any more; how many they were."""
        with self._step():
            return Letters(self.db).discard(now, author, reason, rows=rows, contract=contract)

    def latest(self, kind: str) -> Sequence[Delivery]:
        """Of each (contract, objective, address) of this kind the newest row, where it has been delivered."""
        with self.db.speaking():
            return self._posting.latest(kind)

    def waiting(self) -> Sequence[Waiting]:
        """What is unsent, per (contract, address)."""
        with self.db.speaking():
            return self._posting.waiting()

    def told(self, contract: str, audience: str, within: float, since: float, now: float) -> tuple[int, int, int]:
        """Messages to this audience that were decided since: taken within so many seconds, late, neither yet."""
        with self.db.speaking():
            return told(self.db, contract, audience, within, since, now)

    def not_taken(self, now: float, within: float, after: int, most: int) -> Sequence[int]:
        """Rows beyond `after` that nobody took: decided longer than `within` seconds ago, or given up lately."""
        with self.db.speaking():
            return self._escalating.rows(now, within, after, most)

    def late(self, now: float, within: float, steps: int, rows: Sequence[int] | None = None) -> Sequence[Late]:
        """Of these rows (None: of all) those that nobody took, and of which less than so many steps were made."""
        with self.db.speaking():
            return self._escalating.late(now, within, steps, rows)

    def unanswered(self, contracts: Collection[str]) -> Sequence[Late]:
        """Of each alert of these contracts that is open: the operators' first page, where somebody took it."""
        with self.db.speaking():
            return list(unanswered(self.db, contracts))

    def pass_on(self, passed: Sequence[Passed], now: float) -> None:
        """All of these go to their next receivers, in one step with what is said of it."""
        with self._step():
            for each in passed:
                self._escalating.pass_on(each, now)

    def last_taken(self, contract: str, address: Address) -> Taken | None:
        """The last message of this contract that this receiver took; None where it took none that has a number."""
        with self.db.speaking():
            return last_taken(self.db, contract, address.id)

    def heard_of(self, rows: Sequence[AlertRow]) -> Mapping[ObjectiveKey, Heard]:
        """What was told of each of these alerts; those of which nobody was told are absent."""
        with self.db.speaking():
            return heard_of(self.db, self.names, rows)

    def outbox_summary(self) -> tuple[RouteSummary, ...]:
        """Every (contract, address) that was ever written to, with its totals."""
        with self.db.speaking():
            return self._posting.summary()

    @property
    def _posting(self) -> Posting:
        return Posting(self.db, self.names)

    @property
    def _escalating(self) -> Escalating:
        return Escalating(self.db, self._posting)

    @contextmanager
    def _step(self, what: object = None) -> Iterator[None]:
        """A transaction, after whose failure the names are read anew, at the latest in the next one."""
        try:
            with self.db.transaction(what):
                if self.names.stale:
                    self.names.load()
                yield
        except BaseException:
            self.names.stale = True
            with suppress(StoreError), self.db.speaking():
                self.names.load()
            raise
