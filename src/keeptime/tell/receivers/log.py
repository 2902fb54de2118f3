"""`log:` writes the message's body as one line to stderr; `log:PATH` appends it to a file and waits for the disk.

Guarantees: one message, one line, whole: after a write that broke off the next one begins on a new line. Blocks a
thread, never the event loop.
"""

import asyncio
import errno
import os
import sys

from keeptime.errors import DeliveryError
from keeptime.model.alert import Delivery

# NONBLOCK: a named pipe that nobody reads is an error at once and not a wait for ever; files do not heed it.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC


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
        start = b"" if _ends_whole(file) else b"\n"
        _write(file, start + line + b"\n")
        _sync(file)
    finally:
        os.close(file)


def _ends_whole(file: int) -> bool:
    """Is the file empty, or its last line ended?"""
    try:
        size = os.lseek(file, 0, os.SEEK_END)
        return size == 0 or os.pread(file, 1, size - 1) == b"\n"
    except OSError as error:
        if error.errno == errno.ESPIPE:
            return True
        raise


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
