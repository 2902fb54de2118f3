"""Ticks of the past, judged many at once: what a life would have decided of them, at a fraction of its cost.

Guarantees: the same verdicts, alerts, messages and periods as tick by tick, for the same judge decides and each
tick is committed by itself, with what became of it. Full verdicts are made only where something changed, so of an
alert that was pending and came to nothing there is no trace. For a store that is thrown away unless its past is
whole: what the judge carries is stored with a block's last tick alone. Knows no clock.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from keeptime.app.keeper import NOTHING, Keeper, Kept
from keeptime.errors import UsageError
from keeptime.judge.advance import advance
from keeptime.judge.block import Block
from keeptime.judge.totals import NAMES
from keeptime.model.alert import AlertRow, Message
from keeptime.model.change import Change
from keeptime.model.tally import TickRecord
from keeptime.model.verdict import Verdict
from keeptime.tell.announce import announce


class PastKeeper(Keeper):
    """A keeper of contracts whose terms stay as they are, without segments."""

    def keep_past(self, records: Sequence[TickRecord], late: float) -> Iterator[Kept]:
        """Judge these ticks, which follow one another, and commit each `late` seconds after its end.

        Gives the ticks of which something is told, and the last one with its verdicts; each was committed before.
        Raises StoreError, and UsageError where terms change.
        """
        if self._next_change is not None or self._segmenting.seen:
            raise UsageError("a past is judged by terms that stay as they are, and without segments")
        self._reach(records[0].tick)
        folded = [self._folding.fold(each) for each in records]
        block = self._judge_all(folded)
        turned: dict[int, list[Verdict]] = {}
        for each in block.transitions():
            turned.setdefault(each.column, []).append(each.verdict)
        last = len(folded) - 1
        newest = block.verdicts()
        for column, record in enumerate(folded):
            verdicts = newest if column == last else turned.get(column, ())
            now = (record.tick + 1) * self._tick_seconds + late
            messages = self._keep_one(record, verdicts, now, last=column == last)
            if messages or column == last:
                shown = {each.key: each for each in verdicts} if column == last else {}
                yield Kept(shown, messages, "", self.in_force)

    def _judge_all(self, records: Sequence[TickRecord]) -> Block:
        tallies = [[record.tallies.get(key, NOTHING) for record in records] for key in self._plan.keys]
        good, bad, skipped, excluded = (
            np.array([[getattr(tally, name) for tally in row] for row in tallies], dtype=np.int64) for name in NAMES
        )
        lived = np.array([not record.incomplete or bool(record.tallies) for record in records])
        return advance(self._plan, self._state, records[0].tick, good, bad, skipped, lived, excluded)

    def _keep_one(
        self, record: TickRecord, verdicts: Sequence[Verdict], now: float, *, last: bool
    ) -> tuple[Message, ...]:
        alerts, messages = self._announced(verdicts)
        days, periods = self._closing.due(record.tick + 1)
        memory = self._memory() if last else {}
        versions = self._new_versions()
        self._store.commit(Change(now, record, memory, alerts, messages, days, periods, versions))
        return messages

    def _announced(self, verdicts: Sequence[Verdict]) -> tuple[tuple[AlertRow, ...], tuple[Message, ...]]:
        rows = {row.key: row for row in self._plan.rows}
        alerts, messages = [], []
        for verdict in verdicts:
            row = rows[verdict.key]
            said = announce(
                row.contract, row.objective, verdict, self._alerts.get(row.key), self._acks.get(row.key)
            )
            if said.changed:
                self._alerts[row.key] = said.row
                alerts.append(said.row)
            if said.message is not None:
                messages.append(said.message)
        return tuple(alerts), tuple(messages)
