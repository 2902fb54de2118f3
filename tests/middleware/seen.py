"""What a recorder has counted, in a form that a test can compare."""

from dataclasses import dataclass

from keeptime.middleware import Labels, Recorder
from keeptime.middleware.totals import totals
from keeptime.model.key import Signal


@dataclass(frozen=True)
class Seen:
    """Of one signal of one set of labels."""

    ok: int
    failed: dict[str, int]
    theirs: int
    seconds: float


def seen(recorder: Recorder, signal: Signal = Signal.REQUESTS, in_flight: int | None = 0) -> dict[Labels, Seen]:
    """`in_flight`: how many there must be; None for any."""
    found = totals(recorder.memory)
    assert in_flight in (None, found.in_flight)
    return {
        each.labels: Seen(
            each.succeeded,
            {kind: count for kind, count in each.failed.items() if count},
            each.client_errors,
            each.sum,
        )
        for each in found.series
        if each.signal is signal
    }


def only(recorder: Recorder, signal: Signal = Signal.REQUESTS) -> Seen:
    """There is one set of labels alone."""
    (one,) = seen(recorder, signal).values()
    return one
