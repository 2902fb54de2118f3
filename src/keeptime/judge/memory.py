"""What the judge carries beyond counts, as compact bytes that outlive restarts and reloads.

Guarantees: rows are found by objective, so objectives may come and go between writing and reading; unknown
columns are left out and missing ones are absent, never zero. A header line (JSON), then little-endian 64-bit
columns: the hash of each key, then each named column.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from keeptime.errors import StoreDamaged, UsageError
from keeptime.model.key import ObjectiveKey

Ints = NDArray[np.int64]
VERSION = 1


def key_hash(key: ObjectiveKey) -> int:
    """64 bits that stand for this key (BLAKE2b)."""
    text = f"{key.contract}\0{key.objective}".encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little")


def key_hashes(keys: Sequence[ObjectiveKey]) -> NDArray[np.uint64]:
    return np.array([key_hash(key) for key in keys], dtype="<u8")


def pack(hashes: NDArray[np.uint64], columns: Mapping[str, Ints], tick_seconds: float) -> bytes:
    """Bytes of these columns, one value per key each; boundaries in them count ticks of this length."""
    header = {"version": VERSION, "tick": tick_seconds, "rows": len(hashes), "columns": list(columns)}
    parts = [json.dumps(header, separators=(",", ":")).encode(), b"\n", hashes.tobytes()]
    parts += [column.astype("<i8").tobytes() for column in columns.values()]
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Remembered:
    """Columns read back. `rows`: the row of each key hash."""

    rows: Mapping[int, int]
    columns: Mapping[str, Ints]

    def of(self, key: ObjectiveKey) -> dict[str, int] | None:
        """This objective's values by column; None if it was not there."""
        row = self.rows.get(key_hash(key))
        return None if row is None else {name: int(column[row]) for name, column in self.columns.items()}


def unpack(data: bytes, tick_seconds: float) -> Remembered:
    """Read what `pack` wrote. Empty bytes remember nothing.

    Raises StoreDamaged on anything else, UsageError if it was written with ticks of another length.
    """
    if not data:
        return Remembered({}, {})
    head, _, body = data.partition(b"\n")
    try:
        header = json.loads(head)
        version, rows, names = header["version"], int(header["rows"]), list(header["columns"])
        tick = float(header["tick"])
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(f"the judge's memory is not what keeptime writes: {head[:40]!r}") from error
    if version != VERSION or len(body) != 8 * rows * (len(names) + 1):
        raise StoreDamaged(
            f"the judge's memory has version {version} and {len(body)} bytes;"
            f" expected version {VERSION} and {8 * rows * (len(names) + 1)} bytes"
        )
    if tick != tick_seconds:
        raise UsageError(f"the store was kept with ticks of {tick:g} s, not {tick_seconds:g} s; use another store")
    hashes = np.frombuffer(body, dtype="<u8", count=rows)
    table = np.frombuffer(body, dtype="<i8", offset=8 * rows).reshape(len(names), rows)
    return Remembered(
        {value: index for index, value in enumerate(hashes.tolist())},
        {name: table[index].astype(np.int64) for index, name in enumerate(names)},
    )
