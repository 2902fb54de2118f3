"""A wall clock that is set while keeptime runs: `shifting.c`, preloaded into the child alone.

Real for CPython and SQLite, whose wall clocks are clock_gettime and gettimeofday. (Debian's faketime was tried
first: its sleeps fail with EINVAL in threads when the offset changes.)
"""

import os
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("shifting.c")
HOUR, YEAR = 3600.0, 365 * 86_400.0


@cache
def library() -> Path:
    """Built once per process, and left to the system's own cleaning of its temporary folder."""
    built = Path(tempfile.mkdtemp(prefix="keeptime-shift-")) / "shifting.so"
    subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", str(built), str(SOURCE)], check=True)
    return built


@dataclass(frozen=True)
class Shift:
    """`environment`: for the process whose clock it is."""

    file: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(library()), "SHIFTED_CLOCK": str(self.file)}

    def set(self, seconds: float) -> None:
        """From now on the process sees this much more than the true time, at once."""
        handle = os.open(self.file, os.O_RDWR)
        try:
            os.pwrite(handle, struct.pack("=q", round(seconds * 1e9)), 0)
        finally:
            os.close(handle)

    @property
    def seconds(self) -> float:
        return float(struct.unpack("=q", self.file.read_bytes())[0] / 1e9)

    def now(self) -> float:
        """Unix seconds as the process sees them."""
        return time.time() + self.seconds


@contextmanager
def shifting(folder: Path, seconds: float = 0.0) -> Iterator[Shift]:
    folder.mkdir(parents=True, exist_ok=True)
    shift = Shift(folder / "offset")
    shift.file.write_bytes(bytes(8))
    shift.set(seconds)
    yield shift
