"""Going over from some contracts to others while everything runs.

Guarantees: all that can fail comes first, and then nothing has changed; the store's commit is the last of it. What
comes after must be done: should a bug stop it half-way, `half_way` ends, for a restart takes all of it.
"""

import asyncio
from collections.abc import Callable, Sequence

from keeptime.app.keeper import Keeper
from keeptime.app.ports import Counting, Fill, Following, Prober
from keeptime.contract.terms import Contract
from keeptime.model.alert import Message
from keeptime.tell.ports import InStore

Adopt = Callable[[Sequence[Contract]], None]
"""These contracts are shown and told of from now on; fails not."""
Tell = Callable[[Sequence[Message]], None]
"""These messages were committed."""


class Swapping:
    """Call it with the contracts; raises KeeptimeError where that cannot be. `now`: Unix seconds."""

    def __init__(
        self,
        in_store: InStore,
        keeper: Keeper,
        counting: Counting,
        prober: Prober,
        following: Following,
        fill: Fill,
        now: Callable[[], float],
        adopt: Adopt,
        tell: Tell,
    ) -> None:
        self._in_store, self._keeper, self._counting = in_store, keeper, counting
        self._prober, self._following, self._fill = prober, following, fill
        self._now, self._adopt, self._tell = now, adopt, tell
        self._broken: asyncio.Queue[Exception] = asyncio.Queue()

    async def half_way(self) -> None:
        """Returns never; raises what stopped a swap half-way."""
        raise await self._broken.get()

    async def __call__(self, contracts: Sequence[Contract]) -> None:
        prepared = self._following.prepare(contracts)
        swap = await asyncio.to_thread(self._prober.prepare, contracts)
        await self._fill(prepared.sources, self._keeper.next_tick)
        messages = await self._in_store(self._keeper.replace, contracts, self._now())
        try:
            self._counting.replace(contracts)
            self._adopt(contracts)
            await asyncio.to_thread(swap)
            await prepared.go()
        except Exception as error:
            self._broken.put_nowait(error)
            raise
        self._tell(messages)
