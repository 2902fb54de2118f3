"""What is asked about an incident, and which answer is kept."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from keeptime.app import causes
from keeptime.app.causes import Causes
from keeptime.app.question import Asking
from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.model.exemplar import Exemplar
from keeptime.model.explanation import Explanation, Looked
from keeptime.model.incident import Incident
from keeptime.model.key import ObjectiveKey
from keeptime.model.series import Bucket
from keeptime.model.tally import Tally
from keeptime.model.trace import Why
from keeptime.model.verdict import Condition
from keeptime.testing.explaining import FakeExplaining

START = 1_800_000_000.0
TERMS = """\
contract: {name}
endpoint: {{url: "http://127.0.0.1:9/{name}"}}
observe: [{{probe: {{every: 1s}}}}]
objectives: [{{name: p99, target: 99%, under: 100ms, over: 1d}}]
"""
INCIDENT = Incident(ObjectiveKey("kept", "p99"), START, Condition.BROKEN, None, ended=START + 600)


async def in_place(call: Callable[..., Any], *given: Any) -> Any:
    return call(*given)


class Past:
    """Counts of these contracts alone, in bins of ten seconds."""

    def __init__(self, *known: str) -> None:
        self.known = known

    async def counts(self, key: ObjectiveKey, start: float, end: float, points: int) -> Any:
        ticks = range(int(start // 10), int(-(-end // 10)))[-points:]
        return [
            Bucket(each, each + 1, 1, Tally(good=9, bad=1) if key.contract in self.known else None)
            for each in ticks
        ]

    async def latencies(self, *_: Any) -> Any:
        return ()


def contracts() -> list[Contract]:
    return [load_text(TERMS.format(name=name).encode(), "c.yaml").contracts[0] for name in ("kept", "beside")]


def asking(past: Past, *kept: Exemplar) -> Asking:
    store = SimpleNamespace(events=lambda _: (), incidents=lambda _: ())
    evident: Any = FakeExplaining(list(kept))
    return Asking(evident, past, store, in_place, 10.0, contracts)  # type: ignore[arg-type]


def bad(at: float) -> Exemplar:
    return Exemplar("kept", round((START + at) * 1e9), 10**9, Why.SLOW)


def test_a_neighbour_is_no_trouble_where_nothing_of_its_own_was_counted() -> None:
    asked = asyncio.run(asking(Past("beside"), bad(5)).about(INCIDENT, START + 700))
    assert asked is not None
    assert [each.name for each in asked.series] == ["kept"]
    assert len(asked.evidence) == 1


def test_what_came_after_an_incident_is_not_held_against_it() -> None:
    kept = [bad(at) for at in (5, 599, 600.5, 700, 5000)]
    asked = asyncio.run(asking(Past("kept", "beside"), *kept).about(INCIDENT, START + 9000))
    assert asked is not None
    assert sorted(np.round(asked.evidence.at - START, 1)) == [5, 599, 600.5]
    assert [len(each.values) for each in asked.series] == [len(asked.counts.bad)] * 2


@pytest.mark.parametrize(("bads", "kept"), [(3, "before"), (50, "now")])
def test_an_answer_that_rests_on_less_replaces_none(bads: int, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(line: str, count: int, at: float) -> Explanation:
        return Explanation(INCIDENT.id, at, (line,), looked=Looked(count, 9, START, START))

    stored = [answer("before", 40, START)]
    store = SimpleNamespace(
        incident=lambda _: SimpleNamespace(incident=INCIDENT),
        explanation=lambda _: stored[-1],
        keep_explanation=stored.append,
    )
    monkeypatch.setattr(causes, "explain", lambda asked: answer("now", bads, asked.at))

    async def about(_: Incident, now: float) -> Any:
        return SimpleNamespace(at=now)

    late = SimpleNamespace(wall_ns=lambda: round((START + 9000) * 1e9))
    of: Any = Causes(None, SimpleNamespace(about=about), store, in_place, late, str, list)  # type: ignore[arg-type]
    found = asyncio.run(of.explain(INCIDENT.id))
    assert (found.lines, found.at) == ((kept,), START + 9000)
    assert stored[-1] == found
    assert asyncio.run(of.explain(INCIDENT.id)) == found
    assert len(stored) == 2, "an answer of after its end is the last one"
