"""The store's part that evidence uses: each call is one step, durable when it returns.

Guarantees: a call that raised StoreError changed nothing.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.explanation import Explanation
from keeptime.store.exemplars import Exemplars
from keeptime.store.sql import Database


class StoredEvidence:
    """Requests that were kept and what they say, on a database; the store is one."""

    __slots__ = ()
    db: Database

    def _step(self) -> AbstractContextManager[None]:
        """A transaction."""
        raise NotImplementedError

    def keep_exemplars(self, new: Sequence[Exemplar], prune: bool = False) -> None:
        """Keep these; `prune`: forget those that are too many."""
        with self._step():
            Exemplars(self.db).add(new)
            if prune:
                Exemplars(self.db).prune()

    def exemplars(self, asked: ExemplarQuery) -> tuple[Exemplar, ...]:
        """Newest first."""
        with self.db.speaking():
            return Exemplars(self.db).list(asked)

    def keep_explanation(self, found: Explanation) -> None:
        """In place of what was said of this incident before."""
        with self._step():
            Exemplars(self.db).explain(found)

    def explanation(self, incident: str) -> Explanation | None:
        """What was said of this incident last."""
        with self.db.speaking():
            return Exemplars(self.db).explained(incident)
