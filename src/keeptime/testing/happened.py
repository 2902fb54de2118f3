"""Incidents without a store: stands in wherever a `Happened` is wanted.

Guarantees: what was put in is found as the store would find it; `wrong` is raised instead, where it is set.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from keeptime.app.happened import Unknown
from keeptime.errors import KeeptimeError
from keeptime.model.incident import Dossier, Incident, IncidentQuery


@dataclass(slots=True)
class FakeHappened:
    """`dossiers`: oldest first."""

    dossiers: list[Dossier] = field(default_factory=list)
    wrong: KeeptimeError | None = None

    async def incidents(self, asked: IncidentQuery) -> Sequence[Incident]:
        self._check()
        known = [each.incident for each in reversed(self.dossiers)]
        if asked.after:
            ids = [each.id for each in known]
            if asked.after not in ids:
                raise Unknown(f"after={asked.after}: there is no such incident")
            known = known[ids.index(asked.after) + 1 :]
        return [replace(each, steps=()) for each in known if _wanted(each, asked)][: asked.most]

    async def incident(self, name: str) -> Dossier | None:
        self._check()
        return next((each for each in self.dossiers if each.incident.id == name), None)

    async def newest(self) -> Sequence[Incident]:
        return [each.incident for each in reversed(self.dossiers)]

    def _check(self) -> None:
        if self.wrong is not None:
            raise self.wrong


def _wanted(one: Incident, asked: IncidentQuery) -> bool:
    return (
        asked.contract in ("", one.key.contract)
        and asked.objective in ("", one.key.objective)
        and asked.open in (None, one.ended is None)
        and (asked.since is None or one.ended is None or one.ended >= asked.since)
    )
