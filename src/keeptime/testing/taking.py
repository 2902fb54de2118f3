"""Takes what is sent and counts nothing: stands in wherever an `Intake` is wanted.

Guarantees: what came is kept as it came; `wrong` is raised instead, where it is set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from keeptime.errors import KeeptimeError
from keeptime.model.trace import Trace
from keeptime.observe.intake.push import Posted
from keeptime.observe.intake.refusing import Taken
from keeptime.observe.otlp.exported import Exported


@dataclass(slots=True)
class FakeIntake:
    """`taken`: what every body is answered with."""

    taken: Taken = field(default_factory=lambda: Taken(1))
    posted: list[Posted] = field(default_factory=list)
    wrong: KeeptimeError | None = None
    exported: Exported = field(default_factory=Exported)
    kept: Mapping[str, Sequence[Trace]] = field(default_factory=dict)
    exports: list[tuple[str, bytes, bool]] = field(default_factory=list)

    async def push(self, posted: Posted) -> Taken:
        if self.wrong is not None:
            raise self.wrong
        self.posted.append(posted)
        return self.taken

    async def metrics(self, body: bytes, as_json: bool = False) -> Exported:
        return self._export("metrics", body, as_json)

    async def traces(self, body: bytes, as_json: bool = False) -> Exported:
        return self._export("traces", body, as_json)

    def traces_of(self, contract: str) -> Sequence[Trace]:
        return self.kept.get(contract, ())

    def _export(self, kind: str, body: bytes, as_json: bool) -> Exported:
        if self.wrong is not None:
            raise self.wrong
        self.exports.append((kind, body, as_json))
        return self.exported
