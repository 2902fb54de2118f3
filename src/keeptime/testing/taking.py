"""Takes what is sent and counts nothing: stands in wherever an `Intake` is wanted.

Guarantees: what came is kept as it came; `wrong` is raised instead, where it is set.
"""

from dataclasses import dataclass, field

from keeptime.errors import KeeptimeError
from keeptime.observe.intake.push import Posted
from keeptime.observe.intake.refusing import Taken


@dataclass(slots=True)
class FakeIntake:
    """`taken`: what every body is answered with."""

    taken: Taken = field(default_factory=lambda: Taken(1))
    posted: list[Posted] = field(default_factory=list)
    wrong: KeeptimeError | None = None

    async def push(self, posted: Posted) -> Taken:
        if self.wrong is not None:
            raise self.wrong
        self.posted.append(posted)
        return self.taken
