"""Declared exclusions without a store: stands in wherever a `Declaring` is wanted.

Guarantees: what was asked for is kept as it was asked, at instant 0; `wrong` is raised instead, where it is set.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from keeptime.app.quieting import Impossible
from keeptime.errors import KeeptimeError
from keeptime.model.declared import Declared


@dataclass(slots=True)
class FakeDeclaring:
    """`declared` can be put in, and is added to."""

    declared: list[Declared] = field(default_factory=list)
    wrong: KeeptimeError | None = None

    async def declare(
        self, contract: str, objective: str, author: str, reason: str, begins: float | None, until: float
    ) -> Declared:
        self._check()
        made = Declared(len(self.declared) + 1, contract, objective, author, reason, begins or 60.0, until, 0.0)
        self.declared.append(made)
        return made

    async def end(self, number: int, author: str, reason: str) -> Declared:
        self._check()
        for index, each in enumerate(self.declared):
            if each.id == number:
                self.declared[index] = each.ending(author, reason, 0.0)
                return self.declared[index]
        raise Impossible(f"there is no exclusion {number}")

    async def all(self, contract: str) -> Sequence[Declared]:
        self._check()
        return [each for each in reversed(self.declared) if each.contract == contract]

    def _check(self) -> None:
        if self.wrong is not None:
            raise self.wrong
