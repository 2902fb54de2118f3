"""Late and failed requests of this process, a few of each, with where they stood; and some usual ones beside them.

Guarantees: whatever goes wrong here, no request fails or waits by it. What is kept is bounded: of every EVERY
seconds at most SLOW, FAILED and USUAL, each drawn fairly and with the number that it stands for; the newest RING of
all. To watch a request costs well under two microseconds as long as it is in time.

    stacks = Stacks(late=0.5, push="http://127.0.0.1:5337/api/v1/push/sentiment-latency")
    app = KeeptimeWSGI(app, stacks=stacks)
    stacks.kept()                             # or ask the process itself
"""

import logging
import os
import time
import uuid
import weakref
from asyncio import current_task
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any

from keeptime.middleware.late.collecting import PAUSES
from keeptime.middleware.late.described import Described
from keeptime.middleware.late.reservoir import Reservoir
from keeptime.middleware.late.sending import Kept, Sending
from keeptime.middleware.late.watchdog import Watchdog
from keeptime.middleware.late.watched import CURRENT, Watched
from keeptime.middleware.recorder import Recorder
from keeptime.model.key import Signal

LATE = 0.5
"""Seconds, where nothing else is said."""
EVERY = 5.0
SLOW, FAILED, USUAL, RING = 20, 10, 3, 200
FAILURES = {"error": "status", "disconnect": "disconnected"}
"""As evidence has them: what is an `error` here answers with 5xx."""
_LOG = logging.getLogger("keeptime.middleware")
_ALL: "weakref.WeakSet[Stacks]" = weakref.WeakSet()
_BY_NAME: "weakref.WeakValueDictionary[str, Stacks]" = weakref.WeakValueDictionary()
Describe = Callable[..., Described]


class Stacks:
    """May be shared by several middlewares of a process.

    `late`: the seconds after which a request is late; where they are not given, the least threshold of `requests`
    that the recorder of the first middleware counts, and LATE where there is none. `push`, `token`: where what is
    kept is told to (…/api/v1/push/CONTRACT), and where its token is found; nowhere if it is not given. Raises
    ValueError on what can never work.
    """

    def __init__(self, late: float | None = None, *, push: str | None = None, token: str | None = None) -> None:
        if late is not None and not 0.001 <= late <= 3600:
            raise ValueError(f"late: {late!r}; expected 0.001 to 3600 seconds")
        self.late, self._learns = LATE if late is None else late, late is None
        self._recorder: Recorder | None = None
        self._sending = None if push is None else Sending(push, token)
        self._watchdog = Watchdog(self._known_late, self._rotate)
        self.enter = self._watchdog.enter
        """A request is under way; to be given to `over` or `leave` at its end."""
        self.leave = self._watchdog.leave
        """It has ended, and is none that is to be kept."""
        self._said = False
        self._made = uuid.uuid4().hex, late, push, token
        self.forked()
        _ALL.add(self)
        _BY_NAME[self._made[0]] = self

    @staticmethod
    def of(
        asked: "bool | Stacks",
        late: float | None,
        recorder: Recorder,
        push: str | None = None,
        token: str | None = None,
    ) -> "Stacks | None":
        """As a middleware is told."""
        if not asked:
            if late is not None:
                raise ValueError("late: it is for stacks, which are not asked for; expected stacks=True")
            return None
        if isinstance(asked, Stacks) and late is not None:
            raise ValueError("late: given twice; expected it in Stacks(late=…) alone")
        found = asked if isinstance(asked, Stacks) else Stacks(late, push=push, token=token)
        if found._learns and found._recorder is None:
            found._recorder = recorder
            found._known_late()
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """In a process that it is sent to (Ray sends what a replica needs) it watches there, on the same terms."""
        return _received, self._made

    def watch(self, began: float) -> Watched | None:
        """The same of the task that runs, whose own tasks and threads are known by the context that they run in.
        None where it is none of asyncio."""
        try:
            task = current_task()
        except RuntimeError:
            return None
        if task is None:
            return None
        one = self.enter(began, task)
        CURRENT.set(one)
        return one

    def over(self, one: Watched, failure: str, status: int | None, describe: Describe, *given: Any) -> None:
        """It has ended now. `failure`: how it failed, "" where it did not. `describe`, called with what is `given`,
        says what is known of it; it is asked of those alone that are kept."""
        self._watchdog.leave(one)
        seconds = perf_counter() - one.began
        if failure:
            why = "failed"
        else:
            why = "usual" if seconds <= self.late and one.seen is None else "slow"
        kept = self._kept[why]
        if kept.wanted():
            self._keep(kept, why, one, seconds, failure, status, describe, given)

    def kept(self) -> list[Kept]:
        """What is kept in this process, oldest first, as keeptime is told it."""
        self._gather()
        return list(self._ring)

    @property
    def looks(self) -> int:
        """How often a late request was looked at."""
        return self._watchdog.looks

    @property
    def lost(self) -> int:
        """How many keeptime was not told of, or did not take."""
        return 0 if self._sending is None else self._sending.lost

    def forked(self) -> None:
        """In a child: what the parent kept, it tells itself."""
        sizes = {"slow": SLOW, "failed": FAILED, "usual": USUAL}
        self._kept: dict[str, Reservoir[dict[str, Any]]] = {why: Reservoir(most) for why, most in sizes.items()}
        self._ring: deque[Kept] = deque(maxlen=RING)
        self._gathered = perf_counter()
        if self._sending is not None:
            self._sending.forked()

    def _keep(
        self,
        kept: Reservoir[dict[str, Any]],
        why: str,
        one: Watched,
        seconds: float,
        failure: str,
        status: int | None,
        describe: Describe,
        given: tuple[Any, ...],
    ) -> None:
        try:
            made = _exemplar(one, seconds, failure, status, describe(*given))
            kept.keep(lambda: {**made, "why": why})
        except Exception:
            if not self._said:
                _LOG.exception("a bug of keeptime: late requests are not kept")
            self._said = True

    def _known_late(self) -> float:
        """What is counted may be learnt later, from the contract."""
        if self._recorder is not None:
            self.late = min(self._recorder.thresholds.get(Signal.REQUESTS, ()), default=LATE * 1e9) / 1e9
        return self.late

    def _rotate(self) -> None:
        if perf_counter() - self._gathered >= EVERY:
            self._gather()

    def _gather(self) -> None:
        """What was kept of the last seconds goes to the ring, and is told."""
        self._gathered = perf_counter()
        found: list[Kept] = []
        for each in self._kept.values():
            taken, weight = each.take()
            found += [{**one, "weight": weight} for one in taken]
        found.sort(key=lambda one: float(one["at"]))
        self._ring.extend(found)
        if self._sending is not None:
            self._sending.give(found)


def _received(name: str, late: float | None, push: str | None, token: str | None) -> Stacks:
    """However often it is sent to a process, it is one there."""
    found = _BY_NAME.get(name)
    if found is None:
        found = Stacks(late, push=push, token=token)
        found._made = name, late, push, token
        _BY_NAME[name] = found
    return found


def _exemplar(one: Watched, seconds: float, failure: str, status: int | None, known: Described) -> dict[str, Any]:
    collected = PAUSES.seconds - one.collected
    return {
        "at": time.time(),
        "latency_seconds": seconds,
        "failure": FAILURES.get(failure, failure),
        "status": status,
        "attributes": known.attributes,
        "timings": {**known.timings, "gc": min(collected, seconds)} if collected else known.timings,
        "trace": known.trace,
        "stacks": [] if one.seen is None else one.seen.told(),
    }


def _forked() -> None:
    for each in list(_ALL):
        each.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
