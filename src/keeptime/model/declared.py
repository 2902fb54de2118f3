"""An exclusion that somebody declares while keeptime runs: what is due in its span does not count.

Guarantees: it has an author, a reason and an end, and begins after it was declared, so that nothing that was judged
already is judged otherwise. Pure: knows no store and no clock; instants are whole Unix seconds.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

NOTICE = 60.0
"""Seconds from its declaring to its beginning, or from its ending to its end, at least: in them the counters, and
the judge, go over to it."""

LONGEST = 31 * 86_400.0
"""Seconds that it lasts at most; what lasts longer, or comes again, belongs into the contract as `maintenance`."""

FARTHEST = 366 * 86_400.0
"""Seconds from now in which it begins at the latest."""


@dataclass(frozen=True, slots=True)
class Declared:
    """`objective`: "" for every one of the contract. It lasts from `begins` until before `until`. `at`: when it was
    declared. `ended_by`, `ended_why`: who gave it another end than it had (`until` is that), "" where nobody did.
    """

    id: int
    contract: str
    objective: str
    author: str
    reason: str
    begins: float
    until: float
    at: float
    ended_by: str = ""
    ended_why: str = ""

    def over(self, now: float) -> bool:
        return now >= self.until

    def standing(self, now: float) -> str:
        """`to come`, `active` or `over` at this instant."""
        return "over" if self.over(now) else "active" if self.begins <= now else "to come"

    def ending(self, by: str, why: str, at: float) -> "Declared":
        """The same with this end; one that would have begun later never does."""
        return replace(self, until=max(at, self.begins), ended_by=by, ended_why=why)


def refusal(begins: float, until: float, now: float) -> str:
    """Why there can be none of this span, "" where there can."""
    if begins < now + NOTICE:
        earliest = datetime.fromtimestamp(now + NOTICE, UTC).isoformat(" ", "seconds").removesuffix("+00:00")
        return (
            "it would begin in the past, or within a minute. What is counted by then stays as it was judged, and "
            f"as it is signed in the ledger; expected `from` after {earliest} UTC, or none for as soon as it can be"
        )
    if begins > now + FARTHEST:
        return "it would begin in more than a year; expected an earlier `from`"
    if until <= begins:
        return "it would end before it begins; expected `until` after `from`"
    if until - begins > LONGEST:
        return "it would last for more than 31 days; put what lasts longer into the contract, as maintenance"
    return ""
