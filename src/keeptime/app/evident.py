"""Evidence: requests that are kept as they were, from the one that was just counted to those in the store.

Guarantees: what is kept is in the store ten seconds later, and can be asked for at once; a store that fails costs
evidence and nothing else, and while it does, no evidence is in the way of what was decided. A new value of the
attribute `model_version` is marked as an event, once.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from keeptime.app.ports import Store
from keeptime.clock import Clock
from keeptime.contract.terms import Contract
from keeptime.errors import StoreError
from keeptime.model.event import ITSELF, Event, EventKind
from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.observe.keeping import WINDOW_SECONDS, Keeping
from keeptime.tell.ports import InStore

log = logging.getLogger("keeptime")

VERSIONS = ("model_version", "x-model-version")
"""What a request is known to be answered by: an attribute, or a header of the answer."""
AGAIN = 600.0
"""Seconds after which a version that comes back is a change."""
MOST_VERSIONS = 50
"""Of a contract; more are no versions."""
PRUNED_EVERY = 60
"""Windows."""
MOST_POSTED = 5_000
"""Requests that wait for the store; more that are sent are dropped."""


class Evident:
    """`contracts`: those that are kept now."""

    def __init__(
        self,
        keeping: Keeping,
        store: Store,
        in_store: InStore,
        clock: Clock,
        contracts: Callable[[], Sequence[Contract]],
    ) -> None:
        self._keeping, self._store, self._in_store, self._clock = keeping, store, in_store, clock
        self._contracts = contracts
        self._posted: list[Exemplar] = []
        self._seen: dict[str, dict[str, float]] = {}
        self._windows = 0
        self.held = False
        """The store cannot be written now: evidence waits in memory."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(WINDOW_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """What was kept since the last time goes to the store."""
        new, self._posted = [*self._keeping.close(), *self._posted], []
        self._windows += 1
        if self.held:  # what was decided comes first
            self._posted = new[-MOST_POSTED:]
            return
        if not new:
            return
        try:
            await self._mark(new)
            await self._in_store(self._store.keep_exemplars, new, self._windows % PRUNED_EVERY == 0)
        except StoreError as error:
            log.warning("%d requests are not kept as evidence: %s", len(new), error)

    def take(self, posted: Sequence[Exemplar]) -> int:
        """Evidence that a program sent of itself; how many are kept, where too many wait."""
        kept = posted[: max(0, MOST_POSTED - len(self._posted))]
        self._posted += kept
        return len(kept)

    async def exemplars(self, asked: ExemplarQuery) -> Sequence[Exemplar]:
        """Newest first. Raises StoreError."""
        open_ones = [*self._keeping.now(asked.contract), *self._posted]
        new = [each for each in open_ones if asked.wants(each)]
        kept = await self._in_store(self._store.exemplars, asked)
        return sorted([*new, *kept], key=lambda each: -each.at_ns)[: asked.most]

    async def _mark(self, new: Sequence[Exemplar]) -> None:
        """Versions that answer now and did not before; the first one of all is no change."""
        for each in sorted(new, key=lambda each: each.at_ns):
            version = next((each.attributes[name] for name in VERSIONS if name in each.attributes), "")
            if not version or self._told_by_segments(each.contract):
                continue
            at, seen = each.at_ns / 1e9, await self._versions(each.contract)
            fresh = version not in seen or at - seen[version] > AGAIN
            if fresh and seen and max(seen.values()) > seen.get(version, 0.0) and len(seen) < MOST_VERSIONS:
                await self._note(each.contract, version, at)
            seen[version] = max(at, seen.get(version, 0.0))

    async def _versions(self, contract: str) -> dict[str, float]:
        """When each was seen last; in an earlier life, too."""
        if contract not in self._seen:
            before = await self._in_store(self._store.exemplars, ExemplarQuery(contract, most=200))
            seen: dict[str, float] = {}
            self._seen[contract] = seen
            for each in before:
                for name in VERSIONS:
                    if name in each.attributes:
                        seen.setdefault(each.attributes[name], each.at_ns / 1e9)
        return self._seen[contract]

    def _told_by_segments(self, contract: str) -> bool:
        """An objective that is judged by version marks each new one."""
        known = next((each for each in self._contracts() if each.name == contract), None)
        return known is None or any(
            each.per is not None and any(split.attribute == VERSIONS[0] for split in each.per.by)
            for each in known.objectives
        )

    async def _note(self, contract: str, version: str, at: float) -> None:
        text = f"requests are answered by {VERSIONS[0]}={version}"
        now, once = self._clock.wall_ns() / 1e9, f"{VERSIONS[0]} {contract} {version} {at // AGAIN:.0f}"
        await self._in_store(
            self._store.note_event,
            Event(0, EventKind.VERSION, at, (contract,), ITSELF, version, text, noted=now, key=once),
        )
