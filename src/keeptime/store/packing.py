"""A latency histogram in as few bytes as its row can hold it: its counts as planes of bytes, deflated.

Guarantees: unpacking gives back exactly what was packed. Neighbouring buckets have counts alike, so all low bytes
together, then all next ones, deflate to half of what index and count in pairs do.
"""

import struct
import sys
import zlib
from array import array

from keeptime.errors import StoreDamaged
from keeptime.model.sketch import Sketch

_RAW = -15
"""Deflate without header or checksum: the rows are small and very many."""

_HEAD = struct.Struct("<bcqid")
"""scale, width of a count (an array's type code), zeros, index of the first count, sum in seconds"""

_WIDTHS = (("B", 8), ("H", 16), ("I", 32), ("Q", 64))


def packed(sketch: Sketch) -> bytes:
    """A sketch as its row holds it."""
    low, high = min(sketch.buckets, default=0), max(sketch.buckets, default=-1)
    counts = [sketch.buckets.get(index, 0) for index in range(low, high + 1)]
    most = max(counts, default=0).bit_length()
    width = next(code for code, bits in _WIDTHS if most <= bits)
    column = array(width, counts)
    if sys.byteorder == "big":
        column.byteswap()
    data = column.tobytes()
    planes = (data[plane :: column.itemsize] for plane in range(column.itemsize))
    squeeze = zlib.compressobj(6, zlib.DEFLATED, _RAW)
    head = _HEAD.pack(sketch.scale, width.encode(), sketch.zeros, low, sketch.total)
    return squeeze.compress(head) + squeeze.compress(b"".join(planes)) + squeeze.flush()


def unpacked(data: bytes) -> Sketch:
    """The sketch of `packed`. Raises StoreDamaged on other bytes."""
    try:
        return _read(zlib.decompress(data, _RAW))
    except (ValueError, struct.error, zlib.error) as error:
        raise StoreDamaged(
            f"a stored histogram is damaged ({error}); "
            "put a backup in the store's place, or move it away to start anew"
        ) from error


def _read(plain: bytes) -> Sketch:
    scale, width, zeros, low, total = _HEAD.unpack_from(plain)
    column = array(width.decode("ascii"))
    planes = plain[_HEAD.size :]
    count, rest = divmod(len(planes), column.itemsize)
    if rest:
        raise ValueError("its counts are cut off")
    data = bytearray(len(planes))
    for plane in range(column.itemsize):
        data[plane :: column.itemsize] = planes[plane * count : (plane + 1) * count]
    column.frombytes(bytes(data))
    if sys.byteorder == "big":
        column.byteswap()
    return Sketch(scale, zeros, total, {index: found for index, found in enumerate(column, low) if found})
