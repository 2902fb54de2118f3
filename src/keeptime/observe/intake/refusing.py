"""Why what was sent to be counted is not taken.

Guarantees: a whole body is refused by one of these errors, and then nothing of it is counted; one item of it by
`Wrong`, and then the others are. Knows no HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from keeptime.errors import KeeptimeError

SHOWN = 20
"""Items that were refused of one body and are told with their reasons; the rest is only counted."""


class IntakeRefused(KeeptimeError):
    """Nothing of this body is taken; its text says why."""


class Unreadable(IntakeRefused):
    """It is not what it says that it is."""


class TooMany(IntakeRefused):
    """It holds more than is taken at once."""


class Unknown(IntakeRefused):
    """There is no such contract."""


class NotAsked(IntakeRefused):
    """The contract does not ask for this, or not from this sender."""


class Busy(IntakeRefused):
    """More is waiting to be counted than is good: try again in a second."""


class Wrong(ValueError):
    """One item of a body is not taken; its text says why. `skewed`: its clock is."""

    skewed = False


class Skewed(Wrong):
    """It lies in a time that cannot be."""

    skewed = True


@dataclass(slots=True)
class Refused:
    """The items of one body that were not taken: how many, and the first of them, by index, with their reasons."""

    count: int = 0
    skewed: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def note(self, at: int, why: Wrong) -> None:
        self.count += 1
        self.skewed += why.skewed
        if len(self.first) < SHOWN:
            self.first.append((at, str(why)))


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a body: how many items were counted, how many of these came late, and what was refused.
    `thresholds`: seconds, by signal, that the contract asks for."""

    taken: int
    late: int = 0
    refused: int = 0
    first: tuple[tuple[int, str], ...] = ()
    thresholds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def shown(value: object) -> str:
    """What was given, short enough for a sentence."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
