"""What Prometheus counted before keeptime was there to read it, so that windows are full from the start.

Guarantees: the past is given out oldest first, in steps no longer than the judge's own grids (a minute for the last
day, ten minutes for 35 days, an hour before), each step once; it goes on from where the reads of the present begin.
Bounded: at most some ten thousand steps. Knows no store.
"""

import logging
import math
from collections.abc import AsyncIterator, Callable

from keeptime.contract.calendar import usual_seconds
from keeptime.observe.series.reader import Source
from keeptime.observe.series.reading import Tallies
from keeptime.units import speak_duration

log = logging.getLogger(__name__)

DAY = 86_400.0
GRIDS = ((DAY, 60.0), (35 * DAY, 600.0), (400 * DAY, 3600.0))
"""(Seconds back, step in seconds), newest first."""
AT_ONCE = 3000
"""Steps that are asked for at a time."""

Progress = Callable[[str, float, float], None]
"""Contract, seconds filled, seconds in all."""


def told(contract: str, done: float, whole: float) -> None:
    """The usual progress: a line in the log."""
    log.info("back-filling %s: %s of %s", contract, speak_duration(done) if done else "0 s", speak_duration(whole))


async def past_of(
    source: Source, since: float | None, now: float, progress: Progress = told
) -> AsyncIterator[tuple[float, Tallies]]:
    """(Instant, what was counted up to it) from `since` to `now` (Unix seconds); None: the longest window.

    Raises SourceError; what was given out until then is right.
    """
    longest = max(usual_seconds(each.over) for each in source.contract.objectives)
    start = now - longest if since is None else max(since, now - longest)
    for begin, end, step in chunks(start, now):
        progress(source.contract.name, begin - start, now - start)
        async for at, tallies in source.reading.past(source.api, begin, end, step):
            if any(tally.slots for tally in tallies.values()):
                yield at, tallies
    progress(source.contract.name, now - start, now - start)


def chunks(start: float, now: float) -> list[tuple[float, float, float]]:
    """(begin, end, step) that cover start to now, oldest first, on the grid of each step."""
    found: list[tuple[float, float, float]] = []
    end = now
    for back, step in GRIDS:
        begin = max(start, math.ceil((now - back) / step) * step)
        while end > begin:
            low = max(begin, math.floor((end - AT_ONCE * step) / step) * step)
            found.append((low, end, step))
            end = low
    return found[::-1]
