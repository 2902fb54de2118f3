"""Where the threads of another process of Python stand, as py-spy sees them.

Guarantees: runs py-spy and nothing else, with a number of a process as all that it is given; it is over after the
time that is given and a little, whatever py-spy does. Threads that wait for work are left out. What failed is said
with py-spy's own words. No value of a variable is asked for.
"""

import asyncio
import json
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from keeptime.contract.process import Process
from keeptime.errors import SourceError

LOOKS, MOST_FAILED = 10, 3
"""Of the first ones so many may fail: a process that is not stopped for it may be in the midst of a change."""
PATIENCE = 10.0
"""Seconds for one of them."""
MOST_STACKS, DEEPEST, LONGEST = 100, 64, 8_000
NATIVE, WAITS = "[native code]", "[waiting]"
MISSING = "py-spy is not installed where keeptime runs; pip install 'keeptime[stacks]' puts it there"
_IDLE = frozenset(
    {
        ("_worker", "concurrent/futures/thread.py"), ("select", "selectors.py"), ("accept", "socket.py"),
        ("_run_once", "asyncio/base_events.py"), ("get", "queue.py"), ("serve_forever", "socketserver.py"),
    }
)  # fmt: skip
_IDLE_WITHIN = 4
"""Innermost frames in which a thread that waits for work says so."""
Stacks = tuple[tuple[str, int], ...]


class PySpy:
    """`command`: another one than that which is installed beside keeptime, or on the path."""

    def __init__(self, command: str | None = None) -> None:
        self._command = command

    def problem(self) -> str:
        """Why it cannot look, as far as that is known ahead; "" where nothing is."""
        return "" if self._found() else MISSING

    async def look(self, process: Process) -> Stacks:
        """What was seen, and how often. Raises SourceError."""
        command = self._found()
        if command is None:
            raise SourceError(MISSING)
        pid, seen, wrong = pid_of(process), Counter[str](), list[SourceError]()
        for nth in range(LOOKS):
            if nth:
                await asyncio.sleep(process.seconds / LOOKS)
            try:
                seen.update(stacks_of(await _dumped(command, pid)))
            except SourceError as error:
                wrong.append(error)
                if len(wrong) == nth + 1 >= MOST_FAILED:
                    raise
        return tuple(seen.most_common(MOST_STACKS))

    def _found(self) -> str | None:
        beside = Path(sys.executable).with_name("py-spy")
        return self._command or (str(beside) if beside.exists() else shutil.which("py-spy"))


def pid_of(process: Process) -> int:
    """Raises SourceError."""
    if process.pid is not None:
        return process.pid
    try:
        with Path(process.pid_file).open("rb") as file:
            text = file.read(32).strip()
    except OSError as error:
        raise SourceError(f"{process.pid_file}: {error.strerror or error}") from None
    if not text.isdigit() or int(text) < 2:
        raise SourceError(f"{process.pid_file}: expected the number of a process and nothing else")
    return int(text)


def stacks_of(dumped: str) -> list[str]:
    """Of each thread that is at work, outermost frame first. Raises SourceError."""
    try:
        threads = json.loads(dumped)
        return [each for thread in threads if (each := _stack(thread))]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise SourceError("py-spy answered something that is no list of threads") from None


def _stack(thread: dict[str, Any]) -> str:
    frames = thread["frames"]
    innermost = [(str(each["name"]).rpartition(".")[2], str(each["filename"])) for each in frames[:_IDLE_WITHIN]]
    idle = any(name == known and file.endswith(end) for name, file in innermost for known, end in _IDLE)
    if not frames or (idle and not thread["active"]):
        return ""
    named = [_named(each) for each in reversed(frames[:DEEPEST])]
    if not thread["active"]:
        named.append(WAITS)
    elif not thread["owns_gil"]:
        named.append(NATIVE)
    return ";".join(named)[-LONGEST:]


def _named(frame: dict[str, Any]) -> str:
    place = "/".join(str(frame["filename"]).replace("\\", "/").split("/")[-3:])
    text = f"{frame['name']} ({place}:{int(frame['line'])})"
    return "".join("," if each == ";" else each if each.isprintable() else " " for each in text[-200:])


async def _dumped(command: str, pid: int) -> str:
    given = (command, "dump", "--json", "--nonblocking", "--pid", str(pid))
    pipe = asyncio.subprocess.PIPE
    try:
        running = await asyncio.create_subprocess_exec(
            *given, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )
    except OSError as error:
        raise SourceError(f"py-spy cannot be run: {error.strerror or error}") from None
    try:
        out, wrong = await asyncio.wait_for(running.communicate(), PATIENCE)
    except TimeoutError:
        raise SourceError(f"py-spy said nothing of process {pid} within {PATIENCE:g} s") from None
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()
    if running.returncode:
        why = wrong.decode("utf-8", "replace").strip().partition("Stack backtrace")[0]
        why = " ".join(why.split())[:300]
        raise SourceError(f"py-spy cannot look at process {pid}: {why or f'exit code {running.returncode}'}")
    return out.decode("utf-8", "replace")
