"""A running daemon with probes and real traffic: segments come up, and a disagreement reaches the operators."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from keeptime.app.view import ContractView
from keeptime.model.batch import Batch, Span
from keeptime.model.key import Signal
from keeptime.observe.count import Counter
from keeptime.store.sqlite import SqliteStore
from keeptime.testing.virtual import VirtualClock, VirtualLoop

from .test_effective import CHANGE, answer, daemon
from .test_keeper import contract

START = CHANGE - 5
TERMS = """\
contract: kept
endpoint: {url: "http://127.0.0.1:9/"}
observe: [{probe: {every: 1s}}, push: ]
objectives:
  - {name: p90, target: 90%, under: 500ms, over: 600s, per: model_version}
consumers:
  - {name: checkout, tell: ["log:"]}
operators: {tell: ["log:"]}
"""


def users(at: float, version: str, slow: int) -> Batch:
    """Ten requests, so many of them slow, and one of which nobody knows."""
    attributes = {"observer": "push", "model_version": version}
    spans = (Span(0, 0.5, 9 - slow), Span(0.5, 5, slow), Span(0.25, 1, 1))
    return Batch("kept", Signal.REQUESTS, round(at * 1e9), 10, spans=spans, attributes=attributes)


def test_segments_come_up_and_operators_hear_that_probes_and_users_disagree(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, START)
    counter = Counter([contract(TERMS)], 1.0, start_ns=START * 10**9)
    store = SqliteStore.open(tmp_path / "data", tick_seconds=1.0, now=float(START))

    async def scenario() -> ContractView:
        running = daemon(clock, counter, store, TERMS)
        await running.start()
        for second in range(330):
            now = START + second
            counter.add(replace(answer(now), attributes={}))
            counter.put_batch(users(now + 0.5, "v1", 0))
            counter.put_batch(users(now + 0.5, "v2", 8))
            await asyncio.sleep(1)
        (view,) = running.snapshot().contracts
        await running.stop()
        return view

    view = loop.run_until_complete(scenario())
    loop.close()
    names = [each.name for each in view.contract.objectives]
    assert names == ["p90", "p90[model_version=(none)]", "p90[model_version=v1]", "p90[model_version=v2]"]
    whole, probes, good, bad = (each for each in view.verdicts if each is not None)
    assert (probes.bad, good.bad) == (0, 0)
    assert bad.bad == whole.bad > 2000
    beside = view.beside[0]
    assert beside is not None
    assert (beside.sides.probe_bad, beside.sides.traffic_bad > 2000, beside.sides.between > 600) == (0, True, True)
    said = f"for the operators of kept: {beside.disagreement.split(': in the last hour')[0]}"
    assert len([each for each in caplog.messages if each.startswith(said)]) == 1
