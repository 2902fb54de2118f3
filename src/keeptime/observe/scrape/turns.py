"""Is it one process that answers a scrape, and since when, or do several answer in turn?

Guarantees: behind one address several workers or replicas, each with counts of its own, look like a process that is
reset again and again; they are found out, and are never taken for restarts for long. Pure.
"""

from collections import deque

from keeptime.observe.cumulative import REMEMBERED_NS, SAME_START_NS

CLEARLY_NS = 2_000_000_000
"""A start that is earlier by more is another process; the same one may be told as a second earlier or later."""
LOOKS = 30
MOST_FALLS = 3
"""In so many of the last looks counts may fall, without a process that says it began anew."""

OLDER = "a process that began earlier than the one before answers: several answer in turn, scrape each of them"
AGAIN = (
    f"counts fell {MOST_FALLS} times in the last {LOOKS} reads, as they do where several processes or replicas "
    "answer in turn; scrape each of them, or let the server add them up"
)


class Turns:
    """`began_ns`: since when the counts are believed to be kept (Unix nanoseconds); None where it is not known."""

    def __init__(self) -> None:
        self.began_ns: int | None = None
        self._seen_ns: int | None = None
        self._seen_at = 0
        self._fell: deque[bool] = deque(maxlen=LOOKS)

    def look(self, started_ns: int | None, fell: bool, at_ns: int) -> str:
        """Why nothing of this look can be believed, "" if it can. `started_ns`: of the process, where it says so;
        `fell`: is any count less than it was?"""
        newer = False
        if started_ns is not None:
            before = self._seen_ns
            if before is not None and before - started_ns > CLEARLY_NS and at_ns - self._seen_at <= REMEMBERED_NS:
                return OLDER
            newer = before is not None and started_ns - before > SAME_START_NS
            if before is None or (newer and fell):
                self.began_ns = started_ns
            self._seen_ns, self._seen_at = started_ns, at_ns
        self._fell.append(fell and not newer)
        return AGAIN if sum(self._fell) >= MOST_FALLS else ""
