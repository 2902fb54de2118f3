"""Have the contracts' files changed? Looked at by their size, time and inode, at a steady pace.

Guarantees: a change counts once, and only when the files looked the same twice in a row, so that a file that is
being written is left alone; a file that is replaced by another one counts, also behind a symbolic link. What is in
the files is not read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from keeptime.contract.load import SUFFIXES

EVERY = 1.0
"""Seconds between two looks."""

Look = frozenset[tuple[str, int, int, int]]
"""Every file with its inode, size and time of change."""


def look(paths: Sequence[str]) -> Look:
    """The files that these paths (files and directories) mean now; what cannot be looked at is not in it."""
    return frozenset(each for path in paths for file in _files(Path(path)) if (each := _stat(file)) is not None)


class Settled:
    """`seen` says of each look whether the files have changed, and are at rest. `first`: as they were read."""

    def __init__(self, first: Look) -> None:
        self._read = self._last = first

    def seen(self, now: Look) -> bool:
        resting, self._last = now == self._last, now
        if now == self._read or not resting:
            return False
        self._read = now
        return True


async def watch(paths: Sequence[str], first: Look, changed: Callable[[], Awaitable[None]]) -> None:
    """Until cancelled, call `changed` after each change."""
    settled = Settled(first)
    while True:
        await asyncio.sleep(EVERY)
        if settled.seen(await asyncio.to_thread(look, paths)):
            await changed()


def _files(path: Path) -> Sequence[Path]:
    try:
        return sorted(each for each in path.iterdir() if each.suffix in SUFFIXES) if path.is_dir() else [path]
    except OSError:
        return []


def _stat(file: Path) -> tuple[str, int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return str(file), found.st_ino, found.st_size, found.st_mtime_ns
