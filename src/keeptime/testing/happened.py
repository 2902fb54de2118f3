"""Incidents and events without a store: stands in wherever a `Happened` is wanted.

Guarantees: what was put in is found as the store would find it; `wrong` is raised instead, where it is set.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from keeptime.app.happened import Unknown
from keeptime.errors import KeeptimeError
from keeptime.model.event import Event, EventQuery
from keeptime.model.incident import Dossier, Incident, IncidentQuery


@dataclass(slots=True)
class FakeHappened:
    """`dossiers`, `marked`: oldest first. What is told is marked at instant 0 unless it has one."""

    dossiers: list[Dossier] = field(default_factory=list)
    marked: list[Event] = field(default_factory=list)
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

    async def events(self, asked: EventQuery) -> Sequence[Event]:
        self._check()
        known = list(reversed(self.marked))
        if asked.after is not None and asked.after not in [each.id for each in known]:
            raise Unknown(f"after={asked.after}: there is no such event")
        found = [each for each in known if asked.after is None or each.id < asked.after]
        return [each for each in found if _asked_for(each, asked)][: asked.most]

    async def mark(self, told: Event, at: float | None) -> tuple[Event, bool]:
        self._check()
        for each in self.marked:
            if told.key and each.key == told.key:
                return each, False
        self.marked.append(replace(told, id=len(self.marked) + 1, at=at or 0.0))
        return self.marked[-1], True

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


def _asked_for(one: Event, asked: EventQuery) -> bool:
    return (
        (not asked.contract or not one.contracts or asked.contract in one.contracts)
        and asked.kind in (None, one.kind)
        and (asked.since is None or one.at >= asked.since)
        and (asked.until is None or one.at < asked.until)
    )
