"""Which processes are workers of one server: they share their counts.

Guarantees: processes that share an answer descend from it, by forks without exec or by Python's multiprocessing;
so two servers that were started from one shell never share one. Linux tells of forks; elsewhere only
multiprocessing does.
"""

import os
import sys
from pathlib import Path
from typing import NamedTuple

_PARENT, _STARTED, _CODE, _STACK = 3, 21, 25, 27
"""Places in /proc/PID/stat, counted from 0 (proc(5))."""


class Master(NamedTuple):
    """A process, and when it began in ticks of the machine, so that another one of its number is not taken for
    it."""

    pid: int
    began: int

    @property
    def alive(self) -> bool:
        return began(self.pid) == self.began


def master() -> Master:
    """The first of the processes that this one was forked or spawned from, this one itself included."""
    pid = _spawner() or os.getpid()
    while parent := _forked_from(pid):
        pid = parent
    return Master(pid, began(pid) or 0)


def began(pid: int) -> int | None:
    """When a process began; None where there is none, or the system does not tell."""
    fields = _stat(pid)
    return int(fields[_STARTED]) if fields else None


def _spawner() -> int | None:
    """Who started this process by multiprocessing, as `uvicorn --workers` does."""
    processes = sys.modules.get("multiprocessing.process")
    parent = processes.parent_process() if processes is not None else None
    return None if parent is None else int(parent.pid)


def _forked_from(pid: int) -> int | None:
    """The parent, if it is the same program: a fork has its parent's addresses, an exec gets new ones.

    Where the system does not show them to this user, the command lines are compared.
    """
    fields = _stat(pid)
    parent = int(fields[_PARENT]) if fields else 0
    others = _stat(parent) if parent > 1 else []
    if not others:
        return None
    own = fields[_CODE], fields[_STACK]
    if "0" in own or others[_STACK] == "0":
        return parent if _command(pid) and _command(pid) == _command(parent) else None
    return parent if own == (others[_CODE], others[_STACK]) else None


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return []
    return [str(pid), "", *text.rpartition(")")[2].split()]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
