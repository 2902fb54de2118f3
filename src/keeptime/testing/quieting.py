"""Silences and acknowledgements without a store: stands in wherever a `Quieting` is wanted.

Guarantees: what was asked for is kept as it was asked, at instant 0; `wrong` is raised instead, where it is set.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from keeptime.app.quieting import Impossible
from keeptime.errors import KeeptimeError
from keeptime.model.ack import Ack
from keeptime.model.key import ObjectiveKey
from keeptime.model.silence import Silence


@dataclass(slots=True)
class FakeQuieting:
    """`silences` and `acks` can be put in, and are added to."""

    silences: list[Silence] = field(default_factory=list)
    acks: list[Ack] = field(default_factory=list)
    wrong: KeeptimeError | None = None

    async def silence(
        self, contract: str, objective: str, author: str, reason: str, begins: float | None, ends: float
    ) -> Silence:
        self._check()
        made = Silence(len(self.silences) + 1, contract, objective, author, reason, begins or 0.0, ends)
        self.silences.append(made)
        return made

    async def end(self, number: int, author: str, reason: str) -> tuple[Silence, int]:
        self._check()
        for index, each in enumerate(self.silences):
            if each.id == number:
                self.silences[index] = replace(each, ended=0.0, ended_by=author, ended_why=reason)
                return self.silences[index], 0
        raise Impossible(f"there is no silence {number}")

    async def all(self, *, over: bool, before: int = 0, most: int = 1000) -> Sequence[Silence]:
        self._check()
        if not over:
            return [each for each in self.silences if each.ended is None]
        return [each for each in reversed(self.silences) if not before or each.id < before][:most]

    async def acknowledge(self, contract: str, objective: str, author: str, note: str) -> Sequence[Ack]:
        self._check()
        self.acks.append(Ack(ObjectiveKey(contract, objective), 0.0, author, note, 0.0))
        return self.acks[-1:]

    def _check(self) -> None:
        if self.wrong is not None:
            raise self.wrong
