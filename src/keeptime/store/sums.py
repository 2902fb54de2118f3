"""A sum over the whole file, written when it is closed in order and compared at the next start.

Guarantees: a bit that flipped while keeptime did not run is found, wherever it lies, also where SQLite's own check
sees nothing wrong. A backup that was put in the file's place is no damage: it is told by how far it had come. After
a kill there is no sum. Changes nothing but its own file.
"""

import json
import os
import sqlite3
import zlib
from contextlib import closing, suppress
from pathlib import Path

from keeptime.errors import StoreDamaged

SUM = "keeptime.sum"

_PIECE = 1 << 20
_COME = "SELECT (SELECT max(id) FROM epoch), (SELECT max(seq) FROM ledger), (SELECT max(last) FROM lived)"

Come = list[int | None]
"""How far a store has come: epochs, rows of the ledger, the last tick. It only grows."""


def come(db: sqlite3.Connection) -> Come | None:
    """None where that cannot be read."""
    try:
        return list(db.execute(_COME).fetchone())
    except (sqlite3.Error, ValueError):
        return None


def seal(path: Path, far: Come | None) -> None:
    """This closed file had come so far: write its sum beside it. A disk that is full leaves it without."""
    if far is None:
        return
    with suppress(OSError):
        said = json.dumps({"crc32": _sum(path), "size": path.stat().st_size, "come": far})
        there = os.open(path.with_name(SUM), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(there, "w") as file:
            file.write(said)


def unseal(path: Path) -> None:
    """The file is as it was closed; from here on it is written. Raises StoreDamaged, and the file is kept."""
    sealed = path.with_name(SUM)
    try:
        said = json.loads(sealed.read_text("utf-8"))
        whole, closed = (said["crc32"], said["size"]) == (_sum(path), path.stat().st_size), list(said["come"])
    except (OSError, ValueError, KeyError, TypeError):
        return  # none, or cut short: there is nothing to compare with
    if not whole and not _older(_come_of(path), closed):
        raise StoreDamaged(
            f"{path}: it is damaged: it is not what was written when it was closed; it is kept as it is: move it "
            f"away to start anew, or put a backup in its place. If this is a backup already, remove {sealed}"
        )
    sealed.unlink()


def _older(found: Come | None, closed: Come) -> bool:
    """Is this how far a backup from before had come?"""
    if found is None or found == closed:
        return False
    return all((one or 0) <= (other or 0) for one, other in zip(found, closed, strict=False))


def _sum(path: Path) -> int:
    found = 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            found = zlib.crc32(piece, found)
    return found


def _come_of(path: Path) -> Come | None:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            return come(db)
    except sqlite3.Error:
        return None
