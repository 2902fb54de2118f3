"""Probes and real traffic beside each other, of the last hour, and whether they disagree.

Guarantees: an objective is compared once a minute; a disagreement is one after five minutes running, and over after
five without. The operators are told when it begins, and once a day while it lasts. What was seen is in memory
alone, so after a restart the hour begins anew. Knows no clock: ticks are its time.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from keeptime.contract.terms import Contract, Objective
from keeptime.judge.beside import Worse, worse
from keeptime.judge.reason import promise
from keeptime.model.beside import BesideView, Sides
from keeptime.model.exclusion import BETWEEN_BOUNDS
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally, TickRecord
from keeptime.observe.deciding import comparable
from keeptime.units import format_percent

MINUTES = 60
"""What is compared is the last so many minutes."""
SUSTAINED = 5
"""Minutes running that begin or end a disagreement."""
AGAIN = 24 * 60
"""Minutes after which the operators are told again that it lasts."""
CODE = "probe_disagrees"
WHAT = {
    Worse.TRAFFIC: (
        "users see what the probe does not: expected a probe that asks as they do (size of the input, route, "
        "model version), from where they are"
    ),
    Worse.PROBE: (
        "the probe sees what users do not: expected a probe that asks as they do, and nothing slow on its own way"
    ),
}

Tell = Callable[[str, str, str | None, str], Awaitable[None]]
"""Takes code, sentence, contract and subject."""


@dataclass(slots=True)
class _Lately:
    """One objective. `minutes`: (minute, what came in it), oldest first; `sum` of them, up to a minute more.

    `found`: which side was worse in the last so many minutes running (`runs`). `lasts`: which one the disagreement
    is about, since `since`.
    """

    minutes: deque[tuple[int, Sides]] = field(default_factory=deque)
    sum: Sides = field(default_factory=Sides)
    found: Worse | None = None
    runs: int = 0
    lasts: Worse | None = None
    since: int = 0

    def add(self, minute: int, sides: Sides) -> None:
        self.sum += sides
        if self.minutes and self.minutes[-1][0] == minute:
            sides += self.minutes.pop()[1]
        self.minutes.append((minute, sides))

    def settle(self, minute: int) -> None:
        """Forget what is not of the hour that ends with this minute."""
        while self.minutes and self.minutes[0][0] <= minute - MINUTES:
            self.sum -= self.minutes.popleft()[1]

    def compare(self, now: Worse | None, minute: int) -> bool:
        """Take this minute's answer; is the disagreement to be told of now?"""
        self.runs = self.runs + 1 if now is self.found else 1
        self.found = now
        if self.runs < SUSTAINED:
            return False
        if now is not self.lasts:
            self.lasts, self.since = now, minute
            return now is not None
        return now is not None and (minute - self.since) % AGAIN == 0


class Beside:
    """`contracts()`: those that are judged now. Mutable."""

    def __init__(self, contracts: Callable[[], Sequence[Contract]], tick_seconds: float, tell: Tell) -> None:
        self._contracts, self._tick_seconds, self._tell = contracts, tick_seconds, tell
        self._lately: dict[ObjectiveKey, _Lately] = {}
        self._minute = -1

    async def add(self, records: Sequence[TickRecord]) -> None:
        """These ticks have been judged, in order."""
        for record in records:
            minute = int(record.tick * self._tick_seconds // 60)
            if minute != self._minute:
                await self._compare(minute - 1)
                self._minute = minute
            self._take(record, minute)

    def of(self, contract: Contract, objective: Objective) -> BesideView | None:
        """What the last hour was like; None where there is no traffic to set beside anything."""
        key = contract.key(objective)
        found = self._lately.get(key)
        if found is None or not contract.traffic:
            return None
        compared = comparable(contract, objective)
        return BesideView(found.sum, MINUTES * 60.0, compared, _sentence(objective, found) if compared else "")

    def _take(self, record: TickRecord, minute: int) -> None:
        for contract in self._contracts():
            if not contract.traffic:
                continue
            for one in _promised(contract):
                key = contract.key(one)
                sides = _sides(record, key)
                if sides != Sides():
                    self._lately.setdefault(key, _Lately()).add(minute, sides)

    async def _compare(self, minute: int) -> None:
        """The minute is over."""
        here: set[ObjectiveKey] = set()
        for contract in self._contracts():
            for one in _promised(contract) if contract.traffic else ():
                found = self._lately.get(key := contract.key(one))
                if found is None:
                    continue
                here.add(key)
                found.settle(minute)
                now = worse(found.sum, one.budget_ratio) if comparable(contract, one) else None
                if found.compare(now, minute):
                    await self._tell(CODE, _sentence(one, found), contract.name, one.name)
        self._lately = {key: each for key, each in self._lately.items() if key in here}


def _promised(contract: Contract) -> list[Objective]:
    return [each for each in contract.objectives if not each.internal and each.each is None]


def _sides(record: TickRecord, key: ObjectiveKey) -> Sides:
    tally, (good, bad) = record.tallies.get(key, Tally()), record.probed.get(key, (0, 0))
    between = record.exclusions.get(key, {}).get(BETWEEN_BOUNDS, 0)
    return Sides(good, bad, tally.good - good, tally.bad - bad, between)


def _sentence(one: Objective, found: _Lately) -> str:
    """ "" where they do not disagree."""
    if found.lasts is None:
        return ""
    sides = found.sum
    return (
        f"probes and users disagree about {one.name} ({promise(one)}): in the last hour "
        f"{_bad(sides.probe_bad, sides.probes)} probes were bad, and {_bad(sides.traffic_bad, sides.traffic)} "
        f"requests of real traffic; {WHAT[found.lasts]}"
    )


def _bad(bad: int, events: int) -> str:
    share = f" ({format_percent(round(bad / events, 5))})" if events else ""
    return f"{bad:,} of {events:,}{share}"
