"""Tests for `promtool test rules`: the rules proved on healthy, failing, recovering, idle and absent series.

Guarantees: what they expect is what the embedded judge says of the same requests, so a proof that passes shows that
the two agree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from keeptime.contract.terms import Contract
from keeptime.export.prometheus.names import STANDING
from keeptime.export.prometheus.rules import as_yaml
from keeptime.export.prometheus.stage import NotShown, Stream, staged
from keeptime.judge.advance import advance
from keeptime.judge.plan import Plan
from keeptime.judge.standing import Standing
from keeptime.judge.state import State

WITHOUT_PROBES = 10
"""Requests per evaluation where the contract does not say how many come."""
LOOKS = 6
"""How many instants of each part of a story are looked at."""


@dataclass(frozen=True, slots=True)
class Part:
    """So many seconds in which this share of the requests is bad; None: none comes; `there`: the series are."""

    seconds: int
    bad: float | None
    there: bool = True


STORIES: dict[str, tuple[Part, ...]] = {
    "healthy": (Part(600, 0.0),),
    "failing": (Part(600, 0.0), Part(900, 1.0)),
    "recovering": (Part(300, 0.0), Part(600, 1.0), Part(1200, 0.0)),
    "idle": (Part(300, 0.0), Part(600, None), Part(300, 0.0)),
    "no data": (Part(300, 0.0), Part(600, None, there=False), Part(300, 0.0)),
}


def proof(rules: str, contracts: Sequence[Contract], interval: int) -> tuple[str, list[str]]:
    """A test file for the rule file at the relative path `rules`, and why some contracts are not in it."""
    shown, missing = [], []
    for contract in contracts:
        try:
            staged(contract, _stream(contract, STORIES["healthy"], interval))
            shown.append(contract)
        except NotShown as error:
            missing.append(f"{contract.name}: {error}")
    tests = [_test(shown, name, story, interval) for name, story in STORIES.items()] if shown else []
    return as_yaml({"rule_files": [rules], "evaluation_interval": f"{interval}s", "tests": tests}), missing


def _test(contracts: Sequence[Contract], name: str, story: Sequence[Part], interval: int) -> dict[str, object]:
    streams = [(contract, _stream(contract, story, interval)) for contract in contracts]
    return {
        "name": name,
        "interval": f"{interval}s",
        "input_series": [each.plain() for contract, stream in streams for each in staged(contract, stream)],
        "promql_expr_test": [
            each for contract, stream in streams for each in _expectations(contract, stream, story, interval)
        ],
    }


def _stream(contract: Contract, story: Sequence[Part], interval: int) -> Stream:
    """Requests at the pace of the probes, one at most where gauges are read."""
    good: list[int] = []
    bad: list[int] = []
    there: list[bool] = []
    pace = contract.events_per_second * interval or WITHOUT_PROBES
    if contract.source is not None and not hasattr(contract.source.counts, "metric"):
        pace = 1
    for part in story:
        for _ in range(part.seconds // interval):
            slots = int((len(good) + 1) * pace) - int(len(good) * pace)
            failed = 0 if part.bad is None else round(slots * part.bad)
            good.append(0 if part.bad is None else slots - failed)
            bad.append(failed)
            there.append(part.there)
    return Stream(good, bad, there)


def _expectations(
    contract: Contract, stream: Stream, story: Sequence[Part], interval: int
) -> Iterator[dict[str, object]]:
    standings = _judged(contract, stream, interval)
    for evaluation in _looks(story, interval):
        for row, objective in zip(standings, contract.objectives, strict=True):
            labels = f'{{contract="{contract.name}",objective="{objective.name}",slo="{contract.key(objective)}"}}'
            standing = int(row[evaluation - 1])
            yield _expect(f"{STANDING}{labels}", evaluation * interval, f"{STANDING}{labels}", standing)
            firing = f'count(ALERTS{{slo="{contract.key(objective)}",alertstate="firing"}})'
            yield _expect(firing, evaluation * interval, "{}", int(standing != Standing.OK) or None)


def _expect(expr: str, seconds: int, labels: str, value: int | None) -> dict[str, object]:
    samples = [] if value is None else [{"labels": labels, "value": value}]
    return {"expr": expr, "eval_time": f"{seconds}s", "exp_samples": samples}


def _judged(contract: Contract, stream: Stream, interval: int) -> list[list[int]]:
    plan = Plan.compile([contract], interval)
    alike = (len(contract.objectives), 1)
    good, bad = np.tile(np.array(stream.good), alike), np.tile(np.array(stream.bad), alike)
    alive = np.ones(len(stream.good), dtype=np.bool_)
    block = advance(plan, State.fresh(plan, 0), 0, good, bad, np.zeros_like(good), alive)
    rows: list[list[int]] = block.standing.tolist()
    return rows


def _looks(story: Sequence[Part], interval: int) -> Iterator[int]:
    """Evaluations to look at, evenly over each part, its last one among them."""
    begun = 0
    for part in story:
        length = part.seconds // interval
        yield from sorted({begun + max(1, length * look // LOOKS) for look in range(1, LOOKS + 1)})
        begun += length
