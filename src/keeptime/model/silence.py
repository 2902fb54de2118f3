"""A silence: for a while, the operators are not sent what is told of a contract, or of one of its objectives.

Guarantees: it has an author, a reason and an end; it mutes operators alone, never a consumer, and never what
keeptime says of itself, nor a report. Pure: knows no store and no clock; instants are Unix seconds.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from keeptime.model.alert import KEEPTIME, OPERATORS, REPORTED
from keeptime.model.key import ObjectiveKey

LONGEST = 30 * 86_400.0
"""Seconds from its making to its end at most: what is silent for longer belongs into the contract."""

OVER = frozenset({"keeptime.objective.recovered", "keeptime.objective.withdrawn"})
"""Messages of these types end an alert."""


@dataclass(frozen=True, slots=True)
class Silence:
    """`objective`: "" for every one of the contract. It lasts from `begins` until before `ends`.

    `ended`: when it was over, by hand or because its time was (None: it is not, or nobody has looked yet).
    `ended_by`: who ended it by hand, and why (`ended_why`).
    """

    id: int
    contract: str
    objective: str
    author: str
    reason: str
    begins: float
    ends: float
    ended: float | None = None
    ended_by: str = ""
    ended_why: str = ""

    def active(self, at: float) -> bool:
        """Does it mute at this instant?"""
        return self.begins <= at < self.ends and (self.ended is None or at < self.ended)

    def covers(self, key: ObjectiveKey) -> bool:
        """Is it about this objective, or that of which it is a segment? Never about keeptime, nor a report."""
        if key.contract != self.contract or key.objective in (KEEPTIME, REPORTED):
            return False
        return self.objective in ("", key.objective, key.objective.partition("[")[0])


def muted_by(silences: Collection[Silence], audience: str, key: ObjectiveKey, at: float) -> Silence | None:
    """The silence that keeps a message about this objective from this audience; None: it is sent."""
    if audience != OPERATORS:
        return None
    return next((each for each in silences if each.covers(key) and each.active(at)), None)


def refusal(begins: float, ends: float, now: float) -> str:
    """Why there can be no such silence, else ""."""
    if ends <= now:
        return "its end has passed; expected one that is to come"
    if ends <= begins:
        return "it ends before it begins; expected an end after its beginning"
    if ends - now > LONGEST:
        return f"it would last too long; expected an end within {LONGEST / 86_400:g} days from now"
    return ""


def news(muted: bytes, told: bytes | None) -> bool:
    """Does the body of the muted message say anything else than that of the one told last (None: nothing was)?"""
    return _standing(muted) != (None if told is None else _standing(told))


def _standing(body: bytes) -> tuple[object, ...] | None:
    """How an objective stands by this message; None: no alert."""
    said: dict[str, Any] = json.loads(body)
    if said["type"] in OVER:
        return None
    return said["condition"], said["severity"], said["started"]
