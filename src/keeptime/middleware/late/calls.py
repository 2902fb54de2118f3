"""Calls under way that are watched: of gRPC, of functions, of blocks.

Guarantees: counted as any other call; one of a task of asyncio is watched as a task, any other in its thread. Where
nothing is watched a call costs what it did.
"""

from collections.abc import Callable

from keeptime.middleware.call import Call
from keeptime.middleware.counted import Series
from keeptime.middleware.late.described import Described, described
from keeptime.middleware.late.stacks import Stacks
from keeptime.middleware.layout import Labels
from keeptime.middleware.recorder import Recorder


def begun(recorder: Recorder, labels: Labels | None, stacks: Stacks | None) -> Call:
    """A call has come: in the thread or the task that works for it."""
    if stacks is None:
        return recorder.begin(labels)
    recorder.come()
    return WatchedCall(recorder.found, labels, stacks)


class WatchedCall(Call):
    """Is seen once it is late."""

    __slots__ = ("_stacks", "_watched")

    def __init__(self, find: Callable[[Labels], Series], labels: Labels | None, stacks: Stacks) -> None:
        super().__init__(find, labels)
        self._stacks = stacks
        self._watched = stacks.watch(self.began) or stacks.enter(self.began)

    def count(
        self, series: Series, failure: str | None, stream: bool | None, trace: str | None, client_error: bool
    ) -> None:
        super().count(series, failure, stream, trace, client_error)
        if client_error:
            self._stacks.leave(self._watched)
        else:
            self._stacks.over(self._watched, failure or "", None, _described, series.labels, trace or "")


def _described(labels: Labels, trace: str) -> Described:
    return described(labels.attributes(), {}, "", (), trace)
