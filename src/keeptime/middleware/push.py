"""Tells a keeptime daemon what was counted, and learns from it which thresholds to count exactly.

Guarantees: a thread of its own does it, so no request ever waits for it; one of the workers speaks for all, and
when it dies another one does. What is told are totals, so nothing is lost while the daemon is away and nothing is
counted twice when it is back. The token is read from where it is kept each time, is never in a log, and no
redirect takes it elsewhere.
"""

import atexit
import logging
import random
import threading
import time
from typing import Any

from keeptime.middleware import layout
from keeptime.middleware.learning import taught, teach
from keeptime.middleware.posting import Answer, Unanswered, Where, packed
from keeptime.middleware.recorder import Recorder
from keeptime.middleware.totals import SeriesTotals, Totals, totals
from keeptime.model.key import Signal

EVERY = 10.0
"""Seconds between two posts."""
LONGEST = 300.0
"""Seconds between two attempts, however often it failed."""
PATIENCE = 10.0
LAST_PATIENCE = 2.0
"""Seconds that a post may take, and the last one of a process that ends."""
_LOG = logging.getLogger("keeptime.middleware")


class Pusher:
    """Posts what `recorder` counts to `url` (…/api/v1/push/CONTRACT), from the first request of each process on.

    `token`: `env:NAME` or `file:PATH`, where the token is found. Raises ValueError on what can never work.
    """

    def __init__(self, recorder: Recorder, url: str, *, token: str | None = None, every: float = EVERY) -> None:
        if not 0.1 <= every <= LONGEST:
            raise ValueError(f"every: {every!r}; expected 0.1 to {LONGEST:g} seconds")
        self._recorder, self._where, self._every = recorder, Where(url, token), every
        self.problem = ""
        """Why the last post failed, "" where it did not."""
        self._said = ""
        self._over = threading.Event()
        recorder.when_serving(self._start)

    def stop(self) -> None:
        """No more posts but a last one, which is short. Then another worker speaks for all: one that ends after
        this one posts what was counted until then."""
        if not self._over.is_set():
            self._over.set()
            self.post(LAST_PATIENCE)
            self._recorder.memory.resign()

    def post(self, patience: float = PATIENCE) -> float | None:
        """Post now, if this process speaks for all. Seconds that the daemon wants to be left alone for, if it
        does."""
        memory = self._recorder.memory
        if not memory.leads():
            self._recorder.learn(taught(memory.taught()))
            return None
        try:
            answer = self._where.post(*packed(document(totals(memory), time.time())), patience)
        except Unanswered as error:
            self._failed(str(error))
            return None
        if answer.status != 200:
            self._failed(f"it answered {answer.status}: {answer.said}")
            return answer.retry_after
        self._took(answer)
        return None

    def _took(self, answer: Answer) -> None:
        if self.problem:
            _LOG.info("what is counted reaches keeptime again")
        self.problem = ""
        self._refused(answer.body)
        found = thresholds_of(answer.body)
        teach(self._recorder.memory.taught(), found)
        self._recorder.learn(found)

    def _refused(self, body: object) -> None:
        """A series that the daemon does not take is said once, and posted on."""
        told = body.get("refused") if isinstance(body, dict) else None
        why = str(told[0])[:300] if isinstance(told, list) and told else ""
        if why and why != self._said:
            _LOG.warning("keeptime does not take all of what is counted: %s", why)
        self._said = why

    def _failed(self, why: str) -> None:
        if why != self.problem:
            _LOG.warning("what is counted does not reach keeptime, and is told later: %s", why)
        self.problem = why

    def _start(self) -> None:
        """In a process that serves its first request."""
        self._over = threading.Event()
        threading.Thread(target=self._run, args=(self._over,), name="keeptime-push", daemon=True).start()
        atexit.register(self.stop)

    def _run(self, over: threading.Event) -> None:
        failures = 0
        wait = random.uniform(0, min(1.0, self._every))  # the daemon soon knows of it, and not all servers at once
        while not over.wait(wait):
            wished = self._tried()
            failures = failures + 1 if self.problem else 0
            backed = min(LONGEST, self._every * 2.0 ** min(failures, 10)) if failures else self._every
            wait = max(backed * random.uniform(0.9, 1.0), min(wished or 0.0, LONGEST))

    def _tried(self) -> float | None:
        """Whatever happens, there is a next time."""
        try:
            return self.post()
        except Exception as error:
            self._failed(f"a bug of keeptime: {type(error).__name__}")
            return None


def document(found: Totals, at: float) -> dict[str, Any]:
    """As the daemon reads it: all since `started`."""
    series = [_series(each) for each in found.series]
    return {"instance": found.instance, "started": found.started, "at": at, "series": series}


def _series(each: SeriesTotals) -> dict[str, Any]:
    return {
        "signal": each.signal.value,
        "attributes": each.labels.attributes(),
        "count": each.count,
        "failed": each.failed.total(),
        "within": {repr(threshold_ns / 1e9): count for threshold_ns, count in each.within.items()},
        "scale": layout.SCALE,
        "zeros": each.zeros,
        "sum": each.sum,
        "buckets": {str(index): count for index, count in sorted(each.buckets.items())},
    }


def thresholds_of(body: object) -> dict[Signal, list[float]]:
    """Those that an answer names; what is none of a signal that is measured here is passed over."""
    told = body.get("thresholds") if isinstance(body, dict) else None
    found = {}
    for signal in layout.SIGNALS:
        listed = told.get(signal.value) if isinstance(told, dict) else None
        if isinstance(listed, list):
            found[signal] = [float(each) for each in listed if _usable(each)][: layout.MOST_THRESHOLDS]
    return found


def _usable(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and layout.LEAST <= value < layout.MOST
