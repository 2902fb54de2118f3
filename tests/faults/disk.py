"""A small disk of its own: a tmpfs that can be filled to the last byte and emptied again. Takes root."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PIECE = 65_536


@dataclass(frozen=True)
class Disk:
    """Mounted at `path`; what fills it is a file in it."""

    path: Path

    def fill(self) -> None:
        """Until not one byte more can be written."""
        with (self.path / "filler").open("ab", buffering=0) as file:
            piece = PIECE
            while piece:
                try:
                    file.write(bytes(piece))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    piece //= 2

    def free(self) -> None:
        (self.path / "filler").unlink()


@contextmanager
def small_disk(path: Path, size: str = "8m") -> Iterator[Disk]:
    """A disk of that size; what is on it is gone after the block."""
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "keeptime-test", str(path)], check=True)
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
