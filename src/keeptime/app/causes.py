"""Why it is slow, for whoever asks and for the operators: worked out from the evidence, kept, told once.

Guarantees: an alert that is told is explained a few seconds later, and its operators are told within half a minute
where something stands out; nothing waits for it. What was found last is kept, and found anew while an incident
lasts. Two explanations at a time never run.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from keeptime.app.evident import Evident
from keeptime.app.keeper import Kept
from keeptime.app.ports import Store
from keeptime.app.question import Asking
from keeptime.clock import Clock
from keeptime.errors import KeeptimeError, StoreError
from keeptime.explain.cause import explain
from keeptime.model.alert import OPERATORS, AlertState, Message, Topic
from keeptime.model.change import Change
from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.explanation import Explanation
from keeptime.model.incident import SAME, Incident, incident_id, row_told
from keeptime.model.key import ObjectiveKey
from keeptime.tell.explained import explained
from keeptime.tell.ports import InStore

log = logging.getLogger("keeptime")

LOOKS = (12.0, 19.0, 26.0)
"""Seconds after a message at which the evidence is looked at, until something stands out."""
FRESH = 5.0
"""Seconds for which an explanation of an incident that goes on is as good as a new one."""
MOST_WAITING = 200
"""Incidents that wait to be explained; of more, the newest are explained only when somebody asks."""


@dataclass(slots=True)
class _Due:
    """An incident to be explained at `at` (Unix seconds); `looks`: how often it was."""

    key: ObjectiveKey
    started: float
    told: float
    at: float
    looks: int = 0


@dataclass(slots=True)
class Causes:
    """An `Explaining`, and a companion of the daemon. `url`: where it is served, "" where nobody knows; `told`:
    called after something was put into the outbox."""

    evident: Evident
    asking: Asking
    store: Store
    in_store: InStore
    clock: Clock
    url: Callable[[], str]
    told: Callable[[], None]
    name: str = "causes"
    _due: dict[str, _Due] = field(default_factory=dict)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> None:
        """Until cancelled; then what was kept last goes to the store."""
        keeping = asyncio.create_task(self.evident.run(), name="evidence")
        try:
            while True:
                await asyncio.sleep(0.5)
                await self._look(self.clock.wall_ns() / 1e9)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await self.evident.flush()

    async def see(self, kept: Kept, now: float) -> None:
        """What is told of an alert that fires is explained soon; one that is over is not told of any more."""
        self.evident.held = bool(kept.problem)
        for message in kept.messages:
            started = _started(message)
            if started is None:
                continue
            name = incident_id(message.key, started)
            if message.topic not in (Topic.BROKEN, Topic.AT_RISK):
                self._due.pop(name, None)
            elif name not in self._due and len(self._due) < MOST_WAITING:
                self._due[name] = _Due(message.key, started, now, now + LOOKS[0])

    async def exemplars(self, asked: ExemplarQuery) -> Sequence[Exemplar]:
        return await self.evident.exemplars(asked)

    def take(self, posted: Sequence[Exemplar]) -> int:
        return self.evident.take(posted)

    async def explain(self, incident: str) -> Explanation | None:
        found = await self.in_store(self.store.incident, incident)
        if found is None:
            return None
        known = await self.in_store(self.store.explanation, incident)
        now, one = self.clock.wall_ns() / 1e9, found.incident
        if known is not None and (now - known.at < FRESH or (one.ended is not None and known.at >= one.ended)):
            return known
        return await self._explained(one, now) or known

    async def _explained(self, incident: Incident, now: float) -> Explanation | None:
        """None where its terms are kept no more."""
        async with self._one:
            asked = await self.asking.about(incident, now)
            if asked is None:
                return None
            found = await asyncio.to_thread(explain, asked)
            before = await self.in_store(self.store.explanation, incident.id)
            if before is not None and _rests_on(before) > _rests_on(found):  # its evidence has been forgotten
                found = replace(before, at=now)
            await self.in_store(self.store.keep_explanation, found)
            return found

    async def _look(self, now: float) -> None:
        if self.evident.held:
            return
        for name, due in [(name, each) for name, each in self._due.items() if each.at <= now]:
            due.looks += 1
            if await self._tells(name, now) or due.looks == len(LOOKS):
                self._due.pop(name, None)
            else:
                due.at = due.told + LOOKS[due.looks]

    async def _tells(self, name: str, now: float) -> bool:
        """Is all done that can be done for this incident?"""
        try:
            found = await self.in_store(self.store.incident, name)
            known = None if found is None else await self._explained(found.incident, now)
            if found is None or known is None:
                return found is not None
            if not known.causes:
                return False
            if await self.in_store(self._tell, found.incident, known, now):
                self.told()
        except StoreError as error:
            log.warning("%s is not explained now: %s", name, error)
            return False
        except (KeeptimeError, ValueError, ArithmeticError):  # a cause is a help, and must cost nothing else
            log.exception("%s is not explained, by a bug of keeptime", name)
        return True

    def _tell(self, incident: Incident, found: Explanation, now: float) -> bool:
        """In the store's thread, so that no newer message of the alert comes between."""
        row = self.store.alerts().get(incident.key)
        contract = next((each for each in self.asking.contracts() if each.name == incident.key.contract), None)
        if row is None or row.state is not AlertState.FIRING or contract is None:
            return False
        if abs((row.started or row.since) - incident.started) > SAME:
            return False
        heard = self.store.heard_of([row]).get(incident.key)
        if heard is None or not any(each.audience == OPERATORS for each in heard.addresses):
            return False
        link = f"{self.url()}/incidents/{incident.id}" if self.url() else ""
        message = explained(contract, incident.key, heard, found, link)
        self.store.commit(Change(now, messages=(message,)))
        return True


def _rests_on(one: Explanation) -> int:
    """How many bad requests."""
    return 0 if one.looked is None else one.looked.bad


def _started(message: Message) -> float | None:
    """When the alert began that this message is of; None of what is about no alert."""
    if not isinstance(message.topic, Topic):
        return None
    row = row_told(message.key, message.topic, message.body)
    return None if row is None else row.started
