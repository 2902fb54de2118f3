"""`GET /api/v1/series`, `/api/v1/latency` and `/api/v1/phases`: what was counted, how long it took, and where that
time went, over a range of the past.

Guarantees: what is wholly past may be kept by whoever asked, and everything has a mark, so that what did not change
is not sent again; what means nothing is refused. Knows the daemon by `Showable` alone.
"""

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from keeptime.app.view import Showable, Snapshot
from keeptime.contract.terms import Contract
from keeptime.errors import StoreError
from keeptime.model.key import Signal, SignalKey
from keeptime.web.answering import marked
from keeptime.web.kept import Json
from keeptime.web.series_json import counts_json, latency_json, phases_json

POINTS, LEAST, MOST = 300, 2, 2000
"""Buckets of one answer: unless asked otherwise, and at least and at most."""

DAY = 86_400.0
LATEST = 1e11
SETTLED = 3600.0
"""Seconds after which nothing is added any more, but for what others bring of the past."""


Find = Callable[[float, float, int], Awaitable[Any]]
"""Buckets from start to end, so many at most."""
Make = Callable[[Any, float], dict[str, Json]]
"""The answer, of these buckets and the seconds of a tick."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Instants in Unix seconds."""

    start: float
    end: float
    points: int


@dataclass(frozen=True, slots=True)
class SeriesRoutes:
    """The handlers of the three routes."""

    daemon: Showable
    one_at_a_time: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))

    async def counts(self, request: Request) -> Response:
        given, now = request.query_params, self.daemon.snapshot()
        contract = contract_of(given, now)
        if contract is None:
            return _unknown_contract(given)
        objective = next((each for each in contract.objectives if each.name == given.get("objective")), None)
        if objective is None:
            names = ", ".join(each.name for each in contract.objectives)
            return _error(f"{contract.name} has no such objective; name one with &objective=NAME: {names}", 404)
        find = partial(self.daemon.past.counts, contract.key(objective))
        return await self._over(request, now, find, partial(counts_json, contract, objective))

    async def latency(self, request: Request) -> Response:
        given, now = request.query_params, self.daemon.snapshot()
        contract = contract_of(given, now)
        if contract is None:
            return _unknown_contract(given)
        try:
            signal = signal_of(given)
        except ValueError as error:
            return _error(str(error), 400)
        find = partial(self.daemon.past.latencies, SignalKey(contract.name, signal))
        return await self._over(request, now, find, partial(latency_json, contract, signal))

    async def phases(self, request: Request) -> Response:
        given, now = request.query_params, self.daemon.snapshot()
        contract = contract_of(given, now)
        if contract is None:
            return _unknown_contract(given)
        find = partial(self.daemon.past.phases, contract.name)
        return await self._over(request, now, find, partial(phases_json, contract))

    async def _over(self, request: Request, now: Snapshot, find: Find, make: Make) -> Response:
        """What is found over the range that is asked for, or why there is none."""
        try:
            asked = asked_of(request.query_params, now.at)
            found = await find(asked.start, asked.end, asked.points)
        except ValueError as error:
            return _error(str(error), 400)
        except StoreError as error:
            return _error(str(error), 503)
        body = await self._made(make, found, now.tick_seconds)
        return answer(request, body, past=asked.end <= now.at - SETTLED)

    async def _made(self, make: Callable[..., dict[str, Json]], *given: object) -> bytes:
        """Beside the event loop, so that no tick waits for it; one at a time."""
        return await to_thread.run_sync(lambda: written(make(*given)), limiter=self.one_at_a_time)


def contract_of(given: Mapping[str, str], now: Snapshot) -> Contract | None:
    """The contract that is asked about, with the terms that are judged by now."""
    name = given.get("contract")
    return next((view.contract for view in now.contracts if view.contract.name == name), None)


def signal_of(given: Mapping[str, str]) -> Signal:
    """Raises ValueError with what was expected."""
    text = given.get("signal", Signal.REQUESTS)
    if text not in set(Signal):
        raise ValueError(f"signal={text}: expected one of {', '.join(Signal)}")
    return Signal(text)


def asked_of(given: Mapping[str, str], now: float) -> Asked:
    """The range that is asked for: the last day unless given. Raises ValueError with what was expected."""
    end = _instant(given, "end", now)
    start = _instant(given, "start", max(0.0, end - DAY))
    if not start < end:
        raise ValueError(f"start={start:g} and end={end:g}: expected a start that lies before the end")
    text = given.get("points", str(POINTS))
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and LEAST <= int(text) <= MOST):
        raise ValueError(f"points={text}: expected {LEAST} to {MOST}")
    return Asked(start, end, int(text))


def _instant(given: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(given.get(name, default))
    except ValueError:
        value = math.nan
    if not 0 <= value < LATEST:
        raise ValueError(f"{name}={given.get(name)}: expected Unix seconds")
    return value


def written(body: dict[str, Json]) -> bytes:
    return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()


def answer(request: Request, content: bytes, *, past: bool) -> Response:
    """JSON with its mark; nothing but the mark where whoever asks has that already."""
    kept = f"private, max-age={SETTLED:.0f}" if past else "private, no-cache"
    return marked(request, Response(content, media_type="application/json", headers={"Cache-Control": kept}))


def _error(text: str, status: int) -> Response:
    return JSONResponse({"error": text}, status)


def _unknown_contract(given: Mapping[str, str]) -> Response:
    return _error(f"no contract '{given.get('contract', '')}' is kept; name one with ?contract=NAME", 404)
