"""Evidence that was put in: stands in wherever an `Explaining` is wanted.

Guarantees: what was put in is found, newest first; `wrong` is raised instead, where it is set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keeptime.errors import KeeptimeError
from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.explanation import Explanation


@dataclass(slots=True)
class FakeExplaining:
    """`kept`: oldest first; `explained`: by the id of its incident."""

    kept: list[Exemplar] = field(default_factory=list)
    explained: Mapping[str, Explanation] = field(default_factory=dict)
    wrong: KeeptimeError | None = None

    async def exemplars(self, asked: ExemplarQuery) -> Sequence[Exemplar]:
        self._check()
        return [each for each in reversed(self.kept) if asked.wants(each)][: asked.most]

    async def explain(self, incident: str) -> Explanation | None:
        self._check()
        return self.explained.get(incident)

    def take(self, posted: Sequence[Exemplar]) -> int:
        self.kept += posted
        return len(posted)

    def _check(self) -> None:
        if self.wrong is not None:
            raise self.wrong
