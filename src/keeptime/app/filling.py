"""Puts into the store what a Prometheus counted before keeptime was there to read it.

Guarantees: nobody is told of the past; what the store holds already is not counted twice; a source that cannot be
read starts without its past, and the log says so. Objectives on intervals have no past: it is read in steps, which
are not their intervals.
"""

import logging
from collections.abc import Collection, Sequence

from keeptime.app.ports import Store
from keeptime.errors import SourceError
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey, tick_of
from keeptime.model.tally import TickRecord
from keeptime.observe.deciding import resting
from keeptime.observe.series.backfill import past_of
from keeptime.observe.series.reader import Source
from keeptime.tell.ports import InStore

log = logging.getLogger(__name__)


class Filling:
    """`fill` before the judge's state is restored from the store."""

    def __init__(self, store: Store, in_store: InStore, tick_seconds: float) -> None:
        self._store, self._in_store, self._tick_seconds = store, in_store, tick_seconds

    async def fill(self, sources: Sequence[Source], next_tick: int) -> None:
        """The past of these sources, up to the tick that is judged next. Raises StoreError."""
        if not sources:
            return
        known = set(await self._in_store(self._store.histories, next_tick))
        last = await self._in_store(self._store.last_tick)
        for source in sources:
            try:
                await self._fill(source, next_tick, known, None if last is None else last + 1)
            except SourceError as error:
                log.warning("%s starts without its past: %s", source.contract.name, error)

    async def _fill(
        self, source: Source, next_tick: int, known: Collection[ObjectiveKey], recorded_to: int | None
    ) -> None:
        now = next_tick * self._tick_seconds
        begun = [each for each in source.contract.objectives if each.begins is None or each.begins < now]
        keys = [source.contract.key(each) for each in begun if each.each is None]
        if not keys:
            return
        held = [key for key in keys if key in known]
        since = recorded_to * self._tick_seconds if recorded_to is not None and len(held) == len(keys) else None
        async for at, tallies in past_of(source, since, now):
            tick = tick_of(round(at * 1e9) - 1, self._tick_seconds)
            recorded = recorded_to is not None and tick < recorded_to
            wanted = [key for key in keys if not (recorded and key in held)]
            tallies = {key: tallies[key] for key in wanted if key in tallies}
            if tallies and tick < next_tick:
                record = resting(source.contract, TickRecord(tick, tallies), round(at * 1e9) - 1)
                await self._in_store(self._store.commit, Change(now, record))
