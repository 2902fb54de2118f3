"""The sample of a probe that has ended.

Guarantees: its phases add up to done − sent. Pure.
"""

from dataclasses import dataclass

from keeptime.model.sample import Connection, Failure, Sample
from keeptime.observe.asked import Asked
from keeptime.observe.phases import Stopwatch


@dataclass(frozen=True, slots=True)
class End:
    """How and when (nanoseconds of the monotonic clock) it ended. `detail` without secrets."""

    failure: Failure | None
    detail: str
    done: int
    stamped: bool
    lag: int
    tokens: int | None


def sample_of(
    contract: str, due: tuple[int, int], watch: Stopwatch, asked: Asked, reused: bool, end: End
) -> Sample:
    """`due`: the same instant on the wall clock and on the monotonic one."""
    sent_wall = due[0] + watch.sent - due[1]
    return Sample(
        contract=contract,
        due_ns=due[0],
        sent_ns=sent_wall,
        done_ns=sent_wall + end.done - watch.sent,
        phases=watch.phases(),
        failure=end.failure,
        status=asked.status,
        size=asked.size,
        connection=Connection.REUSE if reused else Connection.FRESH,
        stamped=end.stamped,
        lag_ns=min(end.lag, end.done - watch.sent),
        detail=end.detail,
        attributes=asked.known(),
        tokens=None if end.failure else end.tokens,
        stream=asked.stream(watch.sent),
        timings=asked.timings(),
        trace=asked.trace,
        headers=asked.headers(),
    )
