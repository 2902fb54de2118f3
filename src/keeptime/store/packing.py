"""A latency histogram in as few bytes as its row can hold it: its counts as planes of bytes, deflated.

Guarantees: unpacking gives back exactly what was packed. Neighbouring buckets have counts alike, so all low bytes
together, then all next ones, deflate to half of what index and count in pairs do.
"""

import struct
import sys
import zlib
from array import array

import numpy as np
from numpy.typing import NDArray

from keeptime.errors import StoreDamaged
from keeptime.model.sketch import DEFAULT_SCALE, Sketch

_RAW = -15
"""Deflate without header or checksum: the rows are small and very many."""

_HEAD = struct.Struct("<bcqid")
"""scale, width of a count (an array's type code), zeros, index of the first count, sum in seconds"""

_WIDTHS = (("B", 8), ("H", 16), ("I", 32), ("Q", 64))
_ITEMSIZES = {code.encode(): bits // 8 for code, bits in _WIDTHS}


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
    with _SOUND:
        return _read(zlib.decompress(data, _RAW))


class _Sound:
    """What bytes cannot mean is raised as StoreDamaged."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (ValueError, struct.error, zlib.error)):
            raise StoreDamaged(
                f"a stored histogram is damaged ({error}); "
                "put a backup in the store's place, or move it away to start anew"
            ) from error


_SOUND = _Sound()


class Sum:
    """Packed sketches added up, without any count of them being looked at singly. Mutable."""

    __slots__ = ("_counts", "_low", "_scale", "_total", "_zeros")

    def __init__(self) -> None:
        self._scale: int | None = None
        self._low, self._zeros, self._total = 0, 0, 0.0
        self._counts: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def add(self, data: bytes) -> None:
        """Raises StoreDamaged on bytes that are no packed sketch."""
        with _SOUND:
            plain = zlib.decompress(data, _RAW)
            scale, width, zeros, low, total = _HEAD.unpack_from(plain)
            counts = _counts(plain, width)
        if self._scale is None:
            self._scale = scale
        elif scale != self._scale:
            self._coarsen(min(scale, self._scale))
            low, counts = _coarser(low, counts, scale - self._scale)
        self._zeros, self._total = self._zeros + zeros, self._total + total
        self._merge(low, counts)

    def sketch(self) -> Sketch:
        there = np.flatnonzero(self._counts)
        buckets = dict(zip((there + self._low).tolist(), self._counts[there].tolist(), strict=True))
        return Sketch(DEFAULT_SCALE if self._scale is None else self._scale, self._zeros, self._total, buckets)

    def _merge(self, low: int, counts: NDArray[np.int64]) -> None:
        if not len(counts):
            return
        if not len(self._counts):
            self._low, self._counts = low, counts
            return
        first = min(low, self._low)
        end = max(low + len(counts), self._low + len(self._counts))
        if (first, end) != (self._low, self._low + len(self._counts)):
            wider = np.zeros(end - first, dtype=np.int64)
            wider[self._low - first : self._low - first + len(self._counts)] = self._counts
            self._low, self._counts = first, wider
        self._counts[low - first : low - first + len(counts)] += counts

    def _coarsen(self, scale: int) -> None:
        assert self._scale is not None
        self._low, self._counts = _coarser(self._low, self._counts, self._scale - scale)
        self._scale = scale


def _coarser(low: int, counts: NDArray[np.int64], shift: int) -> tuple[int, NDArray[np.int64]]:
    """2^shift neighbours become one bucket."""
    if not shift or not len(counts):
        return low, counts
    places = np.arange(low, low + len(counts)) >> shift
    sums = np.zeros(int(places[-1] - places[0]) + 1, dtype=np.int64)
    np.add.at(sums, places - places[0], counts)
    return int(places[0]), sums


def _counts(plain: bytes, width: bytes) -> NDArray[np.int64]:
    itemsize = _ITEMSIZES.get(width, 0)
    planes = np.frombuffer(plain, dtype=np.uint8, offset=_HEAD.size)
    if not itemsize or len(planes) % itemsize:
        raise ValueError("its counts are cut off")
    if itemsize == 1:
        return planes.astype(np.int64)
    whole = np.ascontiguousarray(planes.reshape(itemsize, -1).T)
    return whole.view(f"<u{itemsize}").ravel().astype(np.int64)


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
