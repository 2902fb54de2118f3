"""Whether keeptime itself is well, as one value.

Guarantees: pure; every part's problem is in it, and that no tick was judged for long.
"""

from collections.abc import Iterable, Sequence

from keeptime.app.deliveries import untold
from keeptime.app.noticing import Noticing
from keeptime.app.view import DeliveryView, Health

OVERDUE_TICKS = 3
"""Without a judged tick for so many ticks keeptime says that it is not well."""


def health(
    spans: tuple[float, float, float | None, float | None],
    tick_seconds: float,
    problems: Iterable[str],
    noticing: Noticing,
    deliveries: Sequence[DeliveryView],
) -> Health:
    """`spans`: when it started, now, the last judged tick, the last commit. `problems`: "" is none."""
    started, now, judged_at, _ = spans
    found = [each for each in problems if each] + noticing.problems()
    late = now - (judged_at or started)
    if late > OVERDUE_TICKS * tick_seconds + 1:
        found.append(f"no tick was judged for {late:.0f} s")
    found += [untold(each) for each in deliveries if each.dead_letters]
    return Health(*spans, tuple(found), noticing.loop_lag, noticing.clock_step)
