"""A Prometheus without a server: series that a test puts there, asked through the reader's own Protocol.

Guarantees: the vector at an instant is each series' last sample of the five minutes before, as in Prometheus. Knows
no PromQL: an expression stands for the series that were put under it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from keeptime.errors import SourceError
from keeptime.observe.series.api import Labels, Line

LOOKBACK = 300.0


@dataclass
class FakePrometheus:
    """`put` samples; `broken`: what every query is refused with, "" for none; `asked`: expressions, in order."""

    broken: str = ""
    asked: list[str] = field(default_factory=list)
    closed: bool = False
    _series: dict[str, dict[Labels, list[tuple[float, float]]]] = field(default_factory=dict)

    def put(self, expression: str, at: float, value: float, **labels: str) -> None:
        found = self._series.setdefault(expression, {})
        found.setdefault(tuple(sorted(labels.items())), []).append((at, value))

    async def instant(self, expression: str, at: float) -> Sequence[Line]:
        """Of `EXPRESSION[…ms]` all samples of that time."""
        self._check(expression)
        name, bracket, span = expression.rpartition("[")
        if bracket and span.endswith("ms]"):
            since = at - float(span.removesuffix("ms]")) / 1000
            found = [Line(labels, self._between(name, labels, since, at)) for labels in self._series.get(name, {})]
            return [line for line in found if line.samples]
        return self._vector(expression, at)

    async def span(self, expression: str, start: float, end: float, step: float) -> Sequence[Line]:
        self._check(expression)
        samples: dict[Labels, list[tuple[float, float]]] = {}
        for place in range(int((end - start) // step) + 1):
            at = start + place * step
            for line in self._vector(expression, at):
                samples.setdefault(line.labels, []).append((at, line.samples[0][1]))
        return [Line(labels, tuple(found)) for labels, found in samples.items()]

    async def close(self) -> None:
        self.closed = True

    def _check(self, expression: str) -> None:
        self.asked.append(expression)
        if self.broken:
            raise SourceError(self.broken)

    def _vector(self, expression: str, at: float) -> list[Line]:
        found = []
        for labels in self._series.get(expression, {}):
            samples = self._between(expression, labels, at - LOOKBACK, at)
            if samples:
                found.append(Line(labels, ((at, samples[-1][1]),)))
        return found

    def _between(
        self, expression: str, labels: Labels, after: float, until: float
    ) -> tuple[tuple[float, float], ...]:
        return tuple(each for each in self._series[expression][labels] if after < each[0] <= until)
