"""Prometheus' HTTP API, as far as it is needed to read series.

Guarantees: an answer is whole and within its bounds, or a SourceError says what was wrong without repeating the URL
or a header; no redirect is followed, no proxy taken from the environment, no address connected to that keeptime
never connects to. Knows nothing of contracts' objectives.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver

from keeptime.contract.terms import PrometheusSource
from keeptime.errors import SecretError, SourceCapped, SourceError
from keeptime.model.reach import host_refusal
from keeptime.observe.outbound import session, value_of, whole, why_not
from keeptime.redaction import redact

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of an answer."""
MOST_SERIES = 10_000
"""Series in an answer."""
_SERIES = b'"metric":{'
"""What each series begins with: counted before a large answer is parsed, which would hold up everything else."""

Labels = tuple[tuple[str, str], ...]
"""Sorted; without the metric's name."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series: its labels, and its samples as (Unix seconds, value), oldest first; every value is finite.

    `buckets` (low, high, count) of a native histogram at an instant, which has no samples.
    """

    labels: Labels
    samples: tuple[tuple[float, float], ...]
    buckets: tuple[tuple[float, float, float], ...] = ()


class Queries(Protocol):
    """What is asked of a Prometheus. `keeptime.testing` ships a fake. All raise SourceError."""

    async def instant(self, expression: str, at: float) -> Sequence[Line]:
        """The vector at an instant (one sample per series), or the samples of a range selector."""
        ...

    async def span(self, expression: str, start: float, end: float, step: float) -> Sequence[Line]:
        """The vector at each step from `start` to `end`, both included (Unix seconds)."""
        ...

    async def close(self) -> None: ...


class PrometheusApi:
    """Queries of one source. Opens nothing before the first. `names`: who looks its host up; None: the system."""

    def __init__(self, source: PrometheusSource, names: AbstractResolver | None = None) -> None:
        self._source = source
        self._names = names
        self._session: aiohttp.ClientSession | None = None

    async def instant(self, expression: str, at: float) -> Sequence[Line]:
        return await self._ask("query", {"query": expression, "time": f"{at:.3f}"})

    async def span(self, expression: str, start: float, end: float, step: float) -> Sequence[Line]:
        times = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        return await self._ask("query_range", {"query": expression, **times})

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask(self, what: str, form: Mapping[str, str]) -> Sequence[Line]:
        try:
            status, body = await self._exchange(what, form)
        except TimeoutError:
            raise SourceError(f"Prometheus did not answer within {self._source.timeout:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise SourceError(f"Prometheus cannot be reached: {why_not(error)}") from None
        return read(status, body, form["query"])

    async def _exchange(self, what: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        url = f"{self._source.url.rstrip('/')}/api/v1/{what}"
        timeout = aiohttp.ClientTimeout(total=self._source.timeout)
        if refusal := host_refusal(urlsplit(url).hostname or ""):
            raise SourceError(f"Prometheus cannot be reached: {refusal}")
        async with self._open().post(
            url, data=form, headers=self._headers(), timeout=timeout, allow_redirects=False
        ) as response:
            return response.status, await whole(response, LARGEST_ANSWER, "an answer of Prometheus")

    def _headers(self) -> dict[str, str]:
        try:
            return {
                "User-Agent": "keeptime",
                **{name: value_of(each) for name, each in self._source.headers.items()},
            }
        except SecretError as error:
            raise SourceError(f"a header for Prometheus has no value: {error}") from None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = session("Prometheus", self._names)
        return self._session


def read(status: int, body: bytes, expression: str) -> Sequence[Line]:
    """The series of an answer. Raises SourceError, with Prometheus' own words where it has any."""
    if 300 <= status < 400:
        raise SourceError(f"Prometheus answered {status}, a redirect, which is not followed")
    _check_count(body.count(_SERIES), expression)
    try:
        answer = json.loads(body)
        if answer["status"] != "success":
            words = f"{answer.get('errorType', 'error')}: {redact(str(answer.get('error', '')))[:300]}"
            raise SourceError(f"Prometheus refused {_short(expression)} with {status} {words}")
        found = answer["data"]["result"]
        if answer["data"]["resultType"] not in ("vector", "matrix"):
            raise SourceError(f"{_short(expression)} gives a {answer['data']['resultType']}; expected a vector")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise SourceError(f"what answers there with status {status} is not Prometheus' API") from None
    _check_count(len(found), expression)
    try:
        return [_line(each) for each in found]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise SourceError(f"the series of {_short(expression)} are not what Prometheus' API gives") from None


def _check_count(series: int, expression: str) -> None:
    if series > MOST_SERIES:
        raise SourceCapped(f"{_short(expression)} gives {series} series; at most {MOST_SERIES} are read")


def _line(found: Mapping[str, object]) -> Line:
    metric: dict[str, str] = dict(found["metric"])  # type: ignore[call-overload]
    metric.pop("__name__", None)
    if not all(isinstance(value, str) for value in metric.values()):
        raise TypeError("a label's value is a text")
    samples = found.get("values", [found["value"]] if "value" in found else [])
    pairs = ((float(at), float(value)) for at, value in samples)  # type: ignore[attr-defined]
    finite = tuple(pair for pair in pairs if math.isfinite(pair[1]))
    return Line(tuple(sorted(metric.items())), finite, _buckets(found.get("histogram")))


def _buckets(found: object) -> tuple[tuple[float, float, float], ...]:
    """Of `[time, {"buckets": [[rule, "low", "high", "count"], …]}]`."""
    if found is None:
        return ()
    _, histogram = found  # type: ignore[misc]
    buckets = histogram.get("buckets", ())  # type: ignore[has-type]
    return tuple((float(low), float(high), float(count)) for _, low, high, count in buckets)


def _short(expression: str) -> str:
    return expression if len(expression) <= 120 else f"{expression[:117]}…"
