"""The past of a Prometheus goes into the store as what its objectives count, and as nothing else."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from keeptime.app.filling import Filling
from keeptime.contract.load import load_text
from keeptime.model.key import ObjectiveKey
from keeptime.observe.series.reader import source_of
from keeptime.store.sqlite import SqliteStore
from keeptime.testing.series import FakePrometheus

P = ParamSpec("P")
T = TypeVar("T")
NOW = 1_000_000_800
"""A whole number of minutes."""
TERMS = """\
contract: api
observe:
  - prometheus: {every: 10s, counters: {good: g, total: t}}
objectives:
  - {name: slow, target: 99%%, under: 500ms, over: 1h%s}
operators: {tell: ["log:"]}
"""


async def at_once(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    return call(*args, **kwargs)


def filled(tmp_path: Path, more: str) -> int:
    """How many good events of the last ten minutes are in the store; there was one request a second."""
    found = load_text((TERMS % more).encode(), "api.yaml")
    assert found.valid, found.problems
    api = FakePrometheus()
    for at in range(0, 601, 5):
        for name in ("g", "t"):
            api.put(name, NOW - 600 + at, at)
    with SqliteStore.open(tmp_path / "data", tick_seconds=10.0, now=float(NOW)) as store:
        filling = Filling(store, at_once, 10.0)
        source = source_of(found.contracts[0], lambda _: api)
        asyncio.run(filling.fill([source], NOW // 10))
        history = store.histories(NOW // 10).get(ObjectiveKey("api", "slow"))
    return 0 if history is None else sum(history.good)


def test_the_past_of_an_objective_on_requests_is_there(tmp_path: Path) -> None:
    assert filled(tmp_path, "") == 600


def test_requests_of_the_past_are_no_intervals(tmp_path: Path) -> None:
    assert filled(tmp_path, ", each: 1m, statistic: p95") == 0
