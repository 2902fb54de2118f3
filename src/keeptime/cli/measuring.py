"""Measuring an endpoint for a short while, with progress on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from keeptime.clock import monotonic_ns, sleep

if TYPE_CHECKING:
    from keeptime.model.sample import Sample

GIVE_UP_AFTER = 3
"""So many failures before any success end the measuring."""

Show = Callable[[float, "list[Sample]"], None]


def measure(
    send: Callable[[], "Sample"],
    seconds: float,
    every: float,
    *,
    monotonic_ns: Callable[[], int] = monotonic_ns,
    sleep: Callable[[float], None] = sleep,
) -> "list[Sample]":
    """One request after the other for so many seconds, at fixed times where the endpoint is fast enough."""
    samples: list[Sample] = []
    started = monotonic_ns()
    with _progress(seconds) as show:
        while not _hopeless(samples):
            samples.append(send())
            passed = (monotonic_ns() - started) / 1e9
            show(passed, samples)
            due = (passed // every + 1) * every
            if due >= seconds:
                break
            sleep(due - passed)
    return samples


def _hopeless(samples: "list[Sample]") -> bool:
    return len(samples) >= GIVE_UP_AFTER and all(sample.failure is not None for sample in samples)


@contextmanager
def _progress(seconds: float) -> Iterator[Show]:
    """Something that shows how far it is: a bar on a terminal, a line every fifth of the time elsewhere."""
    if not sys.stderr.isatty():
        yield _lines(seconds)
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("measuring", total=seconds)

        def show(passed: float, samples: "list[Sample]") -> None:
            bar.update(task, completed=min(passed, seconds), description=_so_far(samples))

        yield show


def _lines(seconds: float) -> Show:
    shown = [0.0]

    def show(passed: float, samples: "list[Sample]") -> None:
        if passed >= shown[0]:
            print(f"{min(passed, seconds):.1f} of {seconds:.3g} s: {_so_far(samples)}", file=sys.stderr)
            shown[0] += seconds / 5

    return show


def _so_far(samples: "list[Sample]") -> str:
    last = samples[-1]
    failed = sum(sample.failure is not None for sample in samples)
    answer = (
        f"the last took {last.latency_ns / 1e6:.3g} ms" if last.failure is None else f"the last: {last.failure}"
    )
    noun = "request" if len(samples) == 1 else "requests"
    return f"{len(samples)} {noun}, {answer}" + (f", {failed} failed" if failed else "")
