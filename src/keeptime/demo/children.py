"""The demo's processes: started with their output in files, waited for, ended in order.

Guarantees: leaving the `with` block ends every one of them, and what they started, unless they were set free;
a child that ends on its own is an error that quotes its last lines.
"""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from keeptime import clock
from keeptime.errors import KeeptimeError

PATIENCE = 10.0
"""Seconds that a child has to end in order."""


class DemoError(KeeptimeError):
    """The demo could not go on; says at which step and what was seen instead."""


class Child:
    """One process; its output is in `log`."""

    def __init__(self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str]) -> None:
        self.name = name
        self._log = log
        self._heard = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **env},
                start_new_session=True,  # Ctrl-C reaches the demo alone, which then ends them in order
            )

    def said(self) -> str:
        """What this process has printed so far."""
        return self._log.read_bytes()[self._heard :].decode(errors="replace")

    def await_url(self, pattern: str, seconds: float) -> str:
        """The first URL that it prints after these words."""
        found: list[str] = []

        def printed() -> bool:
            found.extend(re.findall(pattern + r" (http://\S+)", self.said()))
            return bool(found)

        await_that(printed, seconds, f"{self.name} to start", self)
        return found[0]

    def must_run(self) -> None:
        """Raises DemoError where it has ended."""
        if (code := self.process.poll()) is not None:
            last = "\n".join(self.said().splitlines()[-15:])
            raise DemoError(f"{self.name} ended with exit code {code}; the last it said:\n{last}")

    def end(self, how: signal.Signals = signal.SIGTERM, patience: float = PATIENCE) -> None:
        """Ask it to end, and make it after a while; what it started ends with it."""
        self._send(how)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._send(signal.SIGKILL)
            self.process.wait()

    def _send(self, how: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, how)


class Children:
    """All of the demo's processes; a context manager."""

    def __init__(self, folder: Path, patience: float = PATIENCE) -> None:
        self._folder = folder
        self._patience = patience
        self._all: list[Child] = []

    def start(self, name: str, command: Sequence[str], env: Mapping[str, str] | None = None) -> Child:
        with _interrupts_held():
            child = Child(name, command, self._folder / f"{name.replace(' ', '-')}.log", env or {})
            self._all.append(child)
        return child

    def set_free(self) -> list[int]:
        """Let them outlive the demo. Returns their process ids."""
        running = [child.process.pid for child in self._all if child.process.poll() is None]
        self._all = []
        return running

    def __enter__(self) -> "Children":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        with _interrupts_held():
            while self._all:
                self._all.pop().end(patience=self._patience)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Ctrl-C waits until the block is left: nothing is lost between a process's start and its entry in the list.

    A handler and not a blocked signal, because a child would inherit the latter.
    """
    held: list[int] = []
    kept = {
        number: signal.signal(number, lambda number, _: held.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    if held:
        raise KeyboardInterrupt


def await_that(holds: Callable[[], bool], seconds: float, what: str, *needed: Child) -> None:
    """Ask again and again until it holds, while the children it needs run. Raises DemoError after `seconds`."""
    deadline = clock.monotonic_ns() + round(seconds * 1e9)
    while not holds():
        for child in needed:
            child.must_run()
        if clock.monotonic_ns() > deadline:
            raise DemoError(f"waited {seconds:g} s in vain for {what}")
        clock.sleep(0.1)
