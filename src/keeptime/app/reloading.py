"""A reload: the contracts are read again, and either all of them go on as they are written now or nothing changes.

Guarantees: reloads are done one after the other; who asked for one and goes away does not stop it half-way; one
that is refused says why in the log, to whoever asked, on what is shown, and to the operators. Knows no file and no
signal.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from keeptime.contract.terms import Contract
from keeptime.errors import KeeptimeError

log = logging.getLogger("keeptime")

Read = Callable[[], Sequence[Contract]]
"""Reads all contracts anew; blocks. Raises KeeptimeError."""
Replace = Callable[[Sequence[Contract]], Awaitable[None]]
"""Goes over to these contracts. Raises KeeptimeError, and then nothing has changed."""
Refused = Callable[[str], Awaitable[None]]
"""Tells the operators why a reload was refused."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a reload did: (name, version), of changed ones (name, old version, new version); by name."""

    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    changed: tuple[tuple[str, str, str], ...] = ()
    unchanged: int = 0

    def __str__(self) -> str:
        parts = [
            *(f"{name} added ({version})" for name, version in self.added),
            *(f"{name} removed ({version})" for name, version in self.removed),
            *(f"{name} changed ({old} → {new})" for name, old, new in self.changed),
        ]
        return ", ".join(parts) or "nothing changed"


def changed(before: Sequence[Contract], after: Sequence[Contract]) -> Changed:
    """What these contracts are to those before; a version is a hash of all that a contract says."""
    old = {each.name: each.version for each in before}
    new = {each.name: each.version for each in after}
    both = sorted(old.keys() & new.keys())
    return Changed(
        tuple((name, new[name]) for name in sorted(new.keys() - old.keys())),
        tuple((name, old[name]) for name in sorted(old.keys() - new.keys())),
        tuple((name, old[name], new[name]) for name in both if old[name] != new[name]),
        sum(old[name] == new[name] for name in both),
    )


class Reloading:
    """`contracts`: those that run. `error`: why the last reload was refused, "" if it was not."""

    def __init__(self, contracts: Sequence[Contract], read: Read, replace: Replace, refused: Refused) -> None:
        self.contracts, self.error = tuple(contracts), ""
        self._read, self._replace, self._refused = read, replace, refused
        self._one_at_a_time = asyncio.Lock()
        self._under_way: set[asyncio.Task[Any]] = set()

    async def reload(self, author: str) -> Changed:
        """Read the contracts and go on with them. Raises KeeptimeError where that is refused."""
        task = asyncio.create_task(self._in_turn(author), name="reload")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)

    async def again(self) -> None:
        """Go over to the same contracts, beside which something has changed. Raises KeeptimeError, and then nothing
        has."""
        task = asyncio.create_task(self._same(), name="reload")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.shield(task)

    async def _same(self) -> None:
        async with self._one_at_a_time:
            await self._replace(self.contracts)

    async def _in_turn(self, author: str) -> Changed:
        async with self._one_at_a_time:
            try:
                done = await self._once()
            except KeeptimeError as error:
                await self._say(str(error), author)
                raise
            log.info(
                "contracts read again", extra={"contracts": len(self.contracts), "by": author, "what": str(done)}
            )
            return done

    async def _once(self) -> Changed:
        contracts = await asyncio.to_thread(self._read)
        done = changed(self.contracts, contracts)
        await self._replace(contracts)
        self.contracts, self.error = tuple(contracts), ""
        return done

    async def _say(self, error: str, author: str) -> None:
        """Once for each refusal in the log; what is shown and told does not change where the reason does not."""
        for line in error.splitlines():
            log.error("reload refused, the old contracts go on: %s", line, extra={"by": author})
        self.error = error
        await self._refused(error)
