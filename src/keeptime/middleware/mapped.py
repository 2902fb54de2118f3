"""The memory that the workers of one server share: a mapped file, of which each has a segment.

Guarantees: a segment has one writer, who holds a lock that the system takes away when it dies, however it dies;
the next worker takes the segment over with its totals, so nothing that was counted is lost and no total falls. A
file of an earlier run is never counted on. Where no file can be had, counts are private to their process, and a
warning is logged. A file without a name of its own is removed by the next server that starts, if not by the last
that ends.
"""

import atexit
import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from keeptime.middleware.file import File, abandoned, opened
from keeptime.middleware.grouping import Master, began, master
from keeptime.middleware.memory import Found, PrivateMemory
from keeptime.middleware.segment import Segment

_LOG = logging.getLogger("keeptime.middleware")
_NAME = re.compile(r"keeptime-(\d+)-(\d+)-(\d+)-(\d+)\.counts")


class SharedMemory:
    """Shared by all processes that give the same `path`; without one, by the workers of this server.

    `ordinal`: tells the files of one server apart that has several.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, ordinal: int = 0) -> None:
        self._master = master()
        self._automatic = path is None
        self._path = Path(path).absolute() if path is not None else _path(self._master, ordinal)
        self._file: File | None = None
        self._private: PrivateMemory | None = None
        self.forked()

    def forked(self) -> None:
        self._lock = threading.Lock()
        self._segment: Segment | None = None
        if self._file is not None:
            self._file.forked()
        if self._private is not None:
            self._private.forked()

    @property
    def instance(self) -> str:
        return self._found().instance

    @property
    def started(self) -> float:
        return self._found().started

    def segment(self) -> Segment:
        with self._lock:
            if self._segment is None:
                self._segment = self._claimed()
            return self._segment

    def segments(self) -> Iterator[Found]:
        found = self._found()
        return found.found() if isinstance(found, File) else found.segments()

    def leads(self) -> bool:
        found = self._found()
        return not isinstance(found, File) or found.lead()

    def resign(self) -> None:
        found = self._found()
        if isinstance(found, File):
            found.resign()

    def taught(self) -> memoryview:
        return self._found().taught()

    def _found(self) -> File | PrivateMemory:
        with self._lock:
            return self._opened()

    def _claimed(self) -> Segment:
        file = self._opened()
        if isinstance(file, File):
            try:
                memory = file.claim()
                return Segment(memory, partial(file.reserve, memory))
            except OSError as error:
                file = self._alone(error)
        return file.segment()

    def _opened(self) -> File | PrivateMemory:
        if self._private is not None:
            return self._private
        if self._file is None:
            try:
                if self._automatic:
                    _sweep(self._path.parent)
                self._file = opened(self._path, self._master)
            except OSError as error:
                return self._alone(error)
            if self._automatic:
                atexit.register(_leave, self._file, self._master)
        return self._file

    def _alone(self, error: OSError) -> PrivateMemory:
        _LOG.warning("counts are of this process alone, not shared with other workers: %s", error)
        self._private = PrivateMemory()
        return self._private


def _path(one: Master, ordinal: int) -> Path:
    shared = Path("/dev/shm")
    folder = shared if os.access(shared, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    return folder / f"keeptime-{_user()}-{one.pid}-{one.began}-{ordinal}.counts"


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0


def _sweep(folder: Path) -> None:
    """Remove what servers of this user left behind that are gone."""
    for path in folder.glob(f"keeptime-{_user()}-*.counts"):
        named = _NAME.fullmatch(path.name)
        if named and began(int(named[2])) != int(named[3]) and abandoned(path):
            with suppress(OSError):
                path.unlink()


def _leave(file: File, one: Master) -> None:
    """At the end of a process: the file goes with the server's first process, or the last of its workers after
    it."""
    if (one.pid == os.getpid() or not one.alive) and file.left():
        with suppress(OSError):
            file.path.unlink()
