"""A disk whose syncs fail: every fsync and fdatasync of a running process gives EIO, by `strace -e inject`."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

CALLS = "fsync,fdatasync"


@contextmanager
def unsyncing(pid: int, when: str = "1+") -> Iterator[None]:
    """Which calls of a thread fail from here on: "1+" all, "1" the first one alone."""
    failing = f"inject={CALLS}:error=EIO:when={when}"
    command = ["strace", "-f", "-p", str(pid), "-e", f"trace={CALLS}", "-e", failing]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as strace:
        assert strace.stderr is not None
        said = strace.stderr.readline()
        assert b"attached" in said, said
        time.sleep(0.2)  # the other threads
        try:
            yield
        finally:
            strace.terminate()
            strace.stderr.read()
