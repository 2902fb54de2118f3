"""`log:` writes the message's body as one line to stderr; `log:PATH` appends it to a file and waits for the disk.

Guarantees: one message, one line, whole: after a write that broke off the next one begins on a new line. Blocks a
thread, never the event loop.
"""

import asyncio
import errno
import os
import stat
import sys
from pathlib import Path

from keeptime.errors import DeliveryError
from keeptime.model.alert import Delivery

# NONBLOCK: a named pipe that nobody reads is an error at once and not a wait for ever; files do not heed it.
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC


class LogReceiver:
    """One for all logs."""

    async def send(self, delivery: Delivery, now: float) -> str:  # noqa: ARG002 - a Protocol's signature
        path = delivery.address.target
        try:
            if path:
                await asyncio.to_thread(append, path, delivery.body)
            else:
                await asyncio.to_thread(_to_stderr, delivery.body)
        except OSError as error:
            raise DeliveryError(f"log:{path} cannot be written: {error.strerror}") from None
        return "written"

    async def close(self) -> None:
        """There is nothing to let go of."""


def append(path: str, line: bytes) -> None:
    """Add one line and wait until it is on the disk. Raises OSError."""
    file = os.open(path, _FLAGS, 0o644)
    try:
        start = b"" if _ends_whole(path, os.fstat(file)) else b"\n"
        _write(file, start + line + b"\n")
        _sync(file)
    finally:
        os.close(file)


def _ends_whole(path: str, about: os.stat_result) -> bool:
    """Is the last line ended? Always so where there is none: an empty file, a pipe, a terminal."""
    if not stat.S_ISREG(about.st_mode) or about.st_size == 0:
        return True
    with Path(path).open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _sync(file: int) -> None:
    try:
        os.fsync(file)
    except OSError as error:
        # A pipe or a terminal cannot be synced, and says so with EINVAL.
        if error.errno != errno.EINVAL:
            raise


def _to_stderr(line: bytes) -> None:
    sys.stderr.write(line.decode() + "\n")
    sys.stderr.flush()
