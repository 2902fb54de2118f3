"""May keeptime give a sign of life? Only if it could really tell: the one decision of every dead man's layer.

Guarantees: pure; a sign is held back with the reason, one sentence. What is not known counts against the sign: a
dead man that is fed without need is worse than none. Knows neither who is fed nor how.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from keeptime.units import speak_duration

FRESH_TICKS = 3
SLACK = 1.0
"""A judged tick, and its commit, are fresh for so many ticks and so many seconds more."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known at `now` (Unix seconds). `judged_at`, `committed_at`: None before the first time.

    `unseen`: a sentence for each contract whose probes or reads are not fresh. `oldest_unsent`: seconds since the
    oldest message that nobody took yet was decided, 0 where none waits; `young`: how old it may be. `problem`: what
    the parts themselves say, "" if nothing. `leading`: this process holds the right to send.
    """

    now: float
    tick_seconds: float
    judged_at: float | None
    committed_at: float | None
    unseen: Sequence[str] = ()
    oldest_unsent: float = 0.0
    young: float = 120.0
    problem: str = ""
    leading: bool = True


def held(facts: Facts) -> str:
    """Why no sign of life may be given now; "" where it may."""
    if not facts.leading:
        return "another keeptime leads"
    if wrong := stalled(facts) or _uncommitted(facts):
        return wrong
    if facts.problem:
        return facts.problem
    if facts.unseen:
        return facts.unseen[0]
    if facts.oldest_unsent > facts.young:
        old, most = speak_duration(facts.oldest_unsent), speak_duration(facts.young)
        return f"a message has waited for {old} to be taken; expected at most {most}"
    return ""


def stalled(facts: Facts) -> str:
    """Why the judge's own progress is in doubt; "" where it is not."""
    return _old("no tick was judged", facts.judged_at, facts)


def _uncommitted(facts: Facts) -> str:
    if facts.committed_at is not None and facts.judged_at is not None and facts.committed_at < facts.judged_at:
        return "the last commit did not work"
    return _old("nothing was committed", facts.committed_at, facts)


def _old(what: str, at: float | None, facts: Facts) -> str:
    """Is this instant too far away, to either side? A clock that was set back makes nothing young."""
    if at is None:
        return f"{what} yet"
    age = facts.now - at
    if abs(age) <= FRESH_TICKS * facts.tick_seconds + SLACK:
        return ""
    return f"{what} for {speak_duration(age)}" if age > 0 else f"the clock was set back by {speak_duration(-age)}"
