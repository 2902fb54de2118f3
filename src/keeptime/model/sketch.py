"""A latency histogram with base-2 exponential buckets: the layout of OpenTelemetry's exponential histograms and
of Prometheus' native ones, so merging with either loses nothing.

Bucket i of scale s holds values in (base^i, base^(i+1)] with base = 2^(2^-s) (OpenTelemetry metrics data model,
"ExponentialHistogram"). At the default scale 5 a quantile is off by at most 1.09 % of its value.
"""

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from keeptime.model.latency import SHARES, Latency, Quantile

DEFAULT_SCALE = 5
_SMALLEST = 1e-9


def bucket_index(value: float, scale: int = DEFAULT_SCALE) -> int:
    """The bucket of a positive value: the i with base^i < value <= base^(i+1)."""
    return math.ceil(math.log2(value) * (1 << scale)) - 1


@dataclass(slots=True)
class Sketch:
    """Counts of non-negative values in seconds. The one mutable value of the model: it is filled, then passed on.

    `zeros` counts values below a nanosecond. `total` is their exact sum in seconds.
    """

    scale: int = DEFAULT_SCALE
    zeros: int = 0
    total: float = 0.0
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, value: float, count: int = 1) -> None:
        """Count `value` seconds. Raises ValueError on a negative or non-finite value."""
        if not 0 <= value < math.inf:
            raise ValueError(f"a latency must be a finite number of seconds, not {value!r}")
        self.total += value * count
        if value < _SMALLEST:
            self.zeros += count
            return
        index = bucket_index(value, self.scale)
        self.buckets[index] = self.buckets.get(index, 0) + count

    @property
    def count(self) -> int:
        return self.zeros + sum(self.buckets.values())

    @property
    def relative_error(self) -> float:
        """The most that a quantile can be off, as a share of its value: (base − 1) / (base + 1)."""
        base = math.pow(2.0, math.pow(2.0, -self.scale))
        return (base - 1) / (base + 1)

    def merge(self, other: "Sketch") -> None:
        """Add another sketch's counts; the coarser scale of the two is kept. Exact: no count moves a bucket."""
        self.rescale(min(self.scale, other.scale))
        shift = other.scale - self.scale
        for index, count in other.buckets.items():
            self.buckets[index >> shift] = self.buckets.get(index >> shift, 0) + count
        self.zeros += other.zeros
        self.total += other.total

    def rescale(self, scale: int) -> None:
        """Go to a coarser scale: 2^shift neighbours become one bucket. Raises ValueError on a finer one."""
        shift = self.scale - scale
        if shift < 0:
            raise ValueError(f"a sketch of scale {self.scale} cannot become finer (scale {scale})")
        if shift:
            merged: dict[int, int] = {}
            for index, count in self.buckets.items():
                merged[index >> shift] = merged.get(index >> shift, 0) + count
            self.buckets, self.scale = merged, scale

    def quantile(self, q: float) -> float | None:
        """The value in seconds below which a share `q` in [0, 1] lies, within `relative_error`; None if empty."""
        found = self.bounded(q)
        return None if found is None else found.value

    def bounded(self, q: float) -> Quantile | None:
        """The same with the bounds of its bucket; the point in between is at equal relative distance from both."""
        count = self.count
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile lies in [0, 1], not {q!r}")
        if count == 0:
            return None
        rank = max(1, math.ceil(q * count))
        if rank <= self.zeros:
            return Quantile(q, 0.0, _SMALLEST, 0.0)
        seen = self.zeros
        for index in sorted(self.buckets):
            seen += self.buckets[index]
            if seen >= rank:
                low, high = self._bounds(index)
                return Quantile(q, low, high, 2 * low * high / (low + high))
        raise AssertionError("a rank lies within the count")

    def latency(self, seconds: float) -> Latency:
        """The percentiles that are shown, of a sketch of the last so many seconds."""
        found = (self.bounded(share) for share in SHARES)
        return Latency(seconds, self.count, tuple(each for each in found if each is not None))

    def _bounds(self, index: int) -> tuple[float, float]:
        """What a bucket holds: more than the first, up to the second."""
        steps = 1 << self.scale
        return math.pow(2.0, index / steps), math.pow(2.0, (index + 1) / steps)

    def encode(self) -> bytes:
        """A compact form: scale, zeros, sum, then runs of (index gap, count) as variable-length integers."""
        out = bytearray([self.scale & 0xFF])
        _write(out, self.zeros)
        out += struct.pack("<d", self.total)
        last = 0
        for index in sorted(self.buckets):
            gap = index - last
            _write(out, gap * 2 if gap >= 0 else -gap * 2 - 1)
            _write(out, self.buckets[index])
            last = index
        return bytes(out)

    @classmethod
    def decode(cls, data: bytes) -> "Sketch":
        """The sketch of `encode()`. Raises ValueError on anything else."""
        try:
            scale = data[0] - 256 if data[0] > 127 else data[0]
            zeros, at = _read(data, 1)
            (total,) = struct.unpack_from("<d", data, at)
            at += 8
            buckets, last = {}, 0
            while at < len(data):
                zigzag, at = _read(data, at)
                count, at = _read(data, at)
                last += zigzag // 2 if zigzag % 2 == 0 else -(zigzag + 1) // 2
                buckets[last] = count
        except (IndexError, struct.error) as error:
            raise ValueError("these bytes are no sketch") from error
        return cls(scale, zeros, total, buckets)


def merged(sketches: Iterable[Sketch]) -> Sketch:
    """The sum of some sketches; an empty one of none."""
    out = Sketch()
    for sketch in sketches:
        out.merge(sketch)
    return out


def _write(out: bytearray, number: int) -> None:
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def _read(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number, at
        shift += 7
