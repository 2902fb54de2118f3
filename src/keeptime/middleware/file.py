"""The mapped file itself: a head, then a segment for each worker that there ever was at once.

Guarantees: it is opened for its owner alone, never through a link; who lives is told by POSIX locks, which end
with their process. A file is never cut short while somebody may have it mapped: a new run makes a new one under
the same name. Opened once in a process, because closing any descriptor of a file ends all of the process's locks
on it.
"""

import mmap
import os
import secrets
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from keeptime.middleware import layout
from keeptime.middleware.grouping import Master
from keeptime.middleware.learning import WORDS
from keeptime.middleware.memory import Found

try:
    import fcntl
except ImportError:  # pragma: no cover - not POSIX
    fcntl = None  # type: ignore[assignment]

MOST_WORKERS = 128
"""Segments of a file."""
PATIENCE = 2.0
"""Seconds in which another process must have done what it does alone; it takes it microseconds."""

MAGIC = 0x6B74_6D65_0000_0000 | layout.BLOCK << 12 | layout.BLOCKS
"""Tells that this is such a file, and laid out as here."""
_WHOLE, _PID, _BEGAN, _STARTED_NS, _INSTANCE, _SEGMENTS = range(6)
_TAUGHT = 64
_ALONE, _LEADER, _FIRST = 0, 1, 16
"""Bytes of the file that locks are held on: to do something alone, to be the leader, to own a segment."""

_EVEN = max(1 << 16, mmap.ALLOCATIONGRANULARITY)
HEAD_BYTES = _EVEN
SEGMENT_BYTES = -(-layout.segment_bytes(layout.BLOCKS) // _EVEN) * _EVEN

_OPEN: dict[Path, "File"] = {}
_OPENING = threading.Lock()


class Unusable(OSError):
    """This file cannot be shared; the text says why."""


class File:
    """Where workers find each other's segments. For any thread."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path, self._descriptor = path, descriptor
        self._lock = threading.RLock()
        self._held: set[int] = set()
        self._maps: dict[int, memoryview] = {}
        self.head = memoryview(mmap.mmap(descriptor, HEAD_BYTES)).cast("Q")

    @property
    def instance(self) -> str:
        return f"{self.head[_INSTANCE]:016x}"

    @property
    def started(self) -> float:
        return self.head[_STARTED_NS] / 1e9

    def claim(self) -> memoryview:
        """A segment that no living process owns; it is this one's until it ends. Raises OSError."""
        with self._lock, _alone(self._descriptor):
            for number in range(MOST_WORKERS):
                if number not in self._held and _locked(self._descriptor, _FIRST + number):
                    self._extend(number)
                    self._held.add(number)
                    return self._mapped(number)
        raise Unusable(f"{self.path} has {MOST_WORKERS} workers, and no more are shared")

    def reserve(self, segment: memoryview, offset: int, length: int) -> None:
        """Have the space for this part of a segment, which is zeros. Raises OSError where there is none."""
        number = next(number for number, each in self._maps.items() if each is segment)
        os.pwrite(self._descriptor, bytes(length), HEAD_BYTES + number * SEGMENT_BYTES + offset)

    def found(self) -> Iterator[Found]:
        """Every segment there is."""
        with self._lock:
            numbers = range(min(self.head[_SEGMENTS], MOST_WORKERS))
            alive = {number: self._lives(number) for number in numbers}
            segments = [(self._mapped(number), alive[number]) for number in numbers]
        for memory, lives in segments:
            yield Found(memory.cast("Q"), lives)

    def lead(self) -> bool:
        """Is this process the one of the workers that does what one alone must do? It is until it ends, or
        resigns."""
        with self._lock:
            return _locked(self._descriptor, _LEADER)

    def resign(self) -> None:
        """Another one may lead."""
        with self._lock:
            _unlocked(self._descriptor, _LEADER)

    def taught(self) -> memoryview:
        """The words of thresholds that all were told of."""
        return self.head[_TAUGHT : _TAUGHT + WORDS]

    def left(self) -> bool:
        """Does nobody live who owns a segment, but for this process?"""
        with self._lock:
            return not any(self._lives(number) for number in range(MOST_WORKERS) if number not in self._held)

    def forked(self) -> None:
        """A child owns nothing."""
        self._lock = threading.RLock()
        self._held.clear()

    def _lives(self, number: int) -> bool:
        if number in self._held:
            return True
        if not _locked(self._descriptor, _FIRST + number):
            return True
        _unlocked(self._descriptor, _FIRST + number)
        return False

    def _extend(self, number: int) -> None:
        end = HEAD_BYTES + (number + 1) * SEGMENT_BYTES
        if os.fstat(self._descriptor).st_size < end:
            os.truncate(self._descriptor, end)
        if self.head[_SEGMENTS] <= number:
            os.pwrite(self._descriptor, bytes(layout.BLOCK_BYTES), end - SEGMENT_BYTES)
            self.head[_SEGMENTS] = number + 1

    def _mapped(self, number: int) -> memoryview:
        found = self._maps.get(number)
        if found is None:
            mapped = mmap.mmap(self._descriptor, SEGMENT_BYTES, offset=HEAD_BYTES + number * SEGMENT_BYTES)
            found = self._maps[number] = memoryview(mapped)
        return found


def _forked() -> None:
    """In a child: another thread of the parent may have held it."""
    global _OPENING
    _OPENING = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def opened(path: Path, master: Master) -> File:
    """The file at this path, made where there is none or it is of an earlier run. Raises OSError."""
    if fcntl is None:
        raise Unusable("this system has no POSIX locks")
    with _OPENING:
        known = _OPEN.get(path)
        if known is None:
            known = _OPEN[path] = _opened(path, master)
        return known


def _opened(path: Path, master: Master) -> File:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            _mine(path, descriptor)
            with _alone(descriptor):
                if _same(path, descriptor) and _begun(path, descriptor, master):
                    return File(path, descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise Unusable(f"{path} is replaced again and again")


def _mine(path: Path, descriptor: int) -> None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise Unusable(f"{path} is not a file of this user")


def _same(path: Path, descriptor: int) -> bool:
    """Does the path still name the file that was opened?"""
    with suppress(OSError):
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    return False


def _begun(path: Path, descriptor: int, master: Master) -> bool:
    """Is this the file to use, once its head is written if it is empty? One of an earlier run loses its name."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        os.pwrite(descriptor, bytes(HEAD_BYTES), 0)
    elif size < HEAD_BYTES:
        raise Unusable(f"{path} is not a file of counts")
    head = memoryview(mmap.mmap(descriptor, HEAD_BYTES)).cast("Q")
    if head[_WHOLE] == 0:
        head[_PID], head[_BEGAN], head[_STARTED_NS] = master.pid, master.began, time.time_ns()
        head[_INSTANCE] = secrets.randbits(63)
        head[_WHOLE] = MAGIC
        return True
    lives = not _locked(descriptor, _FIRST, MOST_WORKERS)
    if not lives:
        _unlocked(descriptor, _FIRST, MOST_WORKERS)
    if head[_WHOLE] == MAGIC and (lives or (head[_PID], head[_BEGAN]) == master):
        return True
    if lives or head[_WHOLE] >> 32 != MAGIC >> 32:
        raise Unusable(f"{path} is in use by another version of keeptime, or is not a file of counts")
    os.unlink(path)
    return False


def abandoned(path: Path) -> bool:
    """Does no process own a segment of this file? False where that cannot be told."""
    if fcntl is None or path in _OPEN:
        return False
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return _locked(descriptor, _FIRST, MOST_WORKERS)
        finally:
            os.close(descriptor)
    return False


@contextmanager
def _alone(descriptor: int) -> Iterator[None]:
    """No other process is in here at the same time. Raises Unusable where one is for too long."""
    deadline = time.monotonic() + PATIENCE
    while not _locked(descriptor, _ALONE):
        if time.monotonic() > deadline:
            raise Unusable("another process holds the file of counts")
        time.sleep(0.001)
    try:
        yield
    finally:
        _unlocked(descriptor, _ALONE)


def _locked(descriptor: int, byte: int, length: int = 1) -> bool:
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, byte)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _unlocked(descriptor: int, byte: int, length: int = 1) -> None:
    fcntl.lockf(descriptor, fcntl.LOCK_UN, length, byte)
