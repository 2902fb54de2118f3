"""The lines that are added to a file, whatever becomes of the file.

Guarantees: a file that is renamed, replaced, switched by a symbolic link or cut is followed, and what is in it is
read to its end; a look reads a bounded piece and opens nothing but regular files. Blocks: not for an event loop.
"""

import os
import stat
import threading
from dataclasses import dataclass, field

from keeptime.observe.log.splitting import Lines

PIECE = 131_072
"""Bytes that one look reads of a file at most."""

_HEAD = 128
"""Bytes of a file's beginning by which it is noticed that it was cut and has grown again between two looks."""

LINGER_NS = 10_000_000_000
"""A file that has gone from its path is read until nothing has come for so long: whoever writes it is told to open
the new one some time after the old one was renamed."""

CLOSING_SECONDS = 0.5

MOST_LEFT = 4
"""Files that have gone from their path and are still read."""


@dataclass(slots=True)
class Got:
    """`lines`: whole ones. `more`: there is more to be had at once. `counts`: of what was lost, by the reason."""

    lines: list[bytes] = field(default_factory=list)
    more: bool = False
    counts: dict[str, int] = field(default_factory=dict)

    def lost(self, reason: str, count: int = 1) -> None:
        if count:
            self.counts[reason] = self.counts.get(reason, 0) + count


class _File:
    """One open file, and how far it was read."""

    def __init__(self, path: str, now: int, *, at_end: bool) -> None:
        self.last = now
        """When something came last."""
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            self._begin(path, at_end)
        except BaseException:
            os.close(self._fd)
            raise

    def _begin(self, path: str, at_end: bool) -> None:
        found = os.fstat(self._fd)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(None, "not a regular file", path)
        self.identity = found.st_dev, found.st_ino
        self._offset = found.st_size if at_end else 0
        self._head = os.pread(self._fd, min(_HEAD, self._offset), 0)
        within = self._offset > 0 and os.pread(self._fd, 1, self._offset - 1) != b"\n"
        self._lines = Lines(inside=within)

    def read(self, got: Got, now: int) -> None:
        """The next piece of it."""
        size = os.fstat(self._fd).st_size
        if self._was_cut(size):
            got.lost("cut_off", int(self._lines.partial))
            self._offset, self._head, self._lines = 0, b"", Lines()
        data = os.pread(self._fd, PIECE, self._offset) if size > self._offset else b""
        if not data:
            return
        self.last = now
        if len(self._head) < _HEAD:
            self._head = os.pread(self._fd, min(_HEAD, self._offset + len(data)), 0)
        self._offset += len(data)
        before = self._lines.cut
        # Whoever goes on where it was in a file that was cut leaves a hole, which reads as zeros.
        got.lines += self._lines.feed(data.lstrip(b"\0") if data[:1] == b"\0" else data)
        got.lost("too_long", self._lines.cut - before)
        got.more = got.more or self._offset < size

    def _was_cut(self, size: int) -> bool:
        if size < self._offset:
            return True
        return size > self._offset and os.pread(self._fd, len(self._head), 0) != self._head

    def close(self, got: Got) -> None:
        got.lost("cut_off", int(self._lines.partial))
        os.close(self._fd)


class Tail:
    """Begins at the end of a file that is there, or at its start where `from_start`; one that comes later is read
    from its start.
    """

    def __init__(self, path: str, *, from_start: bool) -> None:
        self._path, self._at_end = path, not from_start
        self._file: _File | None = None
        self._left: list[_File] = []
        self._lock = threading.Lock()
        self._closed = False

    def look(self, now: int) -> Got:
        """What has come; `now`: nanoseconds of a clock that never steps.

        Raises OSError where the path cannot be read; what is open already is read later then.
        """
        got = Got()
        with self._lock:
            if self._closed:
                return got
            for each in self._left:
                each.read(got, now)
            self._leave(got, now)
            problem = self._open(got, now)
            if self._file is not None:
                self._file.read(got, now)
        if problem is not None and not got.lines:
            raise problem
        return got

    def close(self) -> None:
        """Read nothing more. Where a look hangs, what it has open stays open."""
        self._closed = True
        if not self._lock.acquire(timeout=CLOSING_SECONDS):
            return
        try:
            for each in [*self._left, *([self._file] if self._file is not None else [])]:
                each.close(Got())
            self._left, self._file = [], None
        finally:
            self._lock.release()

    def _open(self, got: Got, now: int) -> OSError | None:
        """Go over to what is at the path now, where that is another file; the one before is read to its end."""
        try:
            found = os.stat(self._path)
            if self._file is not None and self._file.identity == (found.st_dev, found.st_ino):
                return None
            fresh = _File(self._path, now, at_end=self._at_end)
        except OSError as error:
            self._at_end = self._at_end and not isinstance(error, FileNotFoundError)
            return error
        self._at_end = False
        if self._file is not None:
            self._file.read(got, now)
            self._left.append(self._file)
        self._file = fresh
        return None

    def _leave(self, got: Got, now: int) -> None:
        """Close what has had nothing new for long, and the oldest of too many."""
        gone = [each for each in self._left if now - each.last >= LINGER_NS]
        gone += [each for each in self._left if each not in gone][:-MOST_LEFT]
        for each in gone:
            self._left.remove(each)
            each.close(got)
