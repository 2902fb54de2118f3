"""The rule `buckets` beside itself written plainly, one tick of one objective at a time."""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.contract.terms import PolicyKind
from keeptime.judge.rules.buckets import CARRIED, Buckets, thresholds
from keeptime.judge.rules.filling import UNIT, Bucket, pour
from keeptime.judge.state import State
from keeptime.model.verdict import Condition, Severity

from .build import history, objective, plan_of, random_stream, run, stream

TICK = 10.0


def buckets_of(target: str = "99/100", tick: float = TICK) -> list[Bucket]:
    tiers = Buckets().tiers(objective(target, policy=PolicyKind.BUCKETS), tick, 0.0)
    return [tier.bucket for tier in tiers if tier.bucket is not None]


@dataclass
class Plain:
    """One bucket, as its definition says it."""

    bucket: Bucket
    level: int = 0
    rise: int = 0
    cap: int = 0
    block: int = -1
    firing: bool = False
    clearing: int = 0
    good: int = 0
    bad: int = 0

    def tick(self, number: int, good: int, bad: int, threshold: int, lived: bool) -> bool:
        bucket = self.bucket
        if number // bucket.block != self.block:
            self.block = number // bucket.block
            self.rise, self.cap = 0, -(-threshold // 3)
        flow = min(bad * UNIT - bucket.drain * (good + bad), self.cap - self.rise)
        self.rise = max(0, self.rise + flow)
        self.good, self.bad = self.good + good, self.bad + bad
        if self.firing:
            return self._clear(good, bad, lived)
        self.level = max(0, self.level + flow)
        if self.level == 0:
            self.good = self.bad = 0
        self.firing = lived and self.level >= threshold
        return self.firing

    def _clear(self, good: int, bad: int, lived: bool) -> bool:
        bucket, b = self.bucket, self.bucket.budget
        share = self.bad / (self.good + self.bad)
        q = max(min(1.8 * b, (1 + b) / 2), min(share, 0.5))
        gained = round((bad * math.log(b / q) + good * math.log((1 - b) / (1 - q))) * UNIT)
        self.clearing = max(0, self.clearing + min(gained, bucket.clear_step))
        if lived and self.clearing >= bucket.clear_at:
            self.firing, self.clearing, self.level, self.good, self.bad = False, 0, 0, 0, 0
        return self.firing


counts = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 12), st.integers(1, 40), st.booleans()), min_size=1, max_size=30
)


@settings(max_examples=200, deadline=None)
@given(counts, st.sampled_from(range(3)), st.integers(0, 5), st.lists(st.integers(1, 100), max_size=4))
def test_it_is_what_its_definition_says(
    spans: list[tuple[int, int, int, bool]], which: int, first: int, cuts: list[int]
) -> None:
    good = np.array([g for g, _, n, _ in spans for _ in range(n)], dtype=np.int64)
    bad = np.array([b for _, b, n, _ in spans for _ in range(n)], dtype=np.int64)
    lived = np.array([alive for _, _, n, alive in spans for _ in range(n)], dtype=np.bool_)
    bucket = buckets_of()[which]
    threshold = (20 + np.arange(len(good)) % 5) * UNIT
    plain = Plain(bucket)
    expected = [
        plain.tick(first + t, int(good[t]), int(bad[t]), int(threshold[t]), bool(lived[t]))
        for t in range(len(good))
    ]
    carried = {name: np.zeros(2, dtype=np.int64) for name in CARRIED}
    bounds = sorted({0, len(good), *(cut for cut in cuts if cut < len(good))})
    found: list[bool] = []
    for start, stop in pairwise(bounds):
        part = slice(start, stop)
        columns = [np.stack([each[part], each[part] * 0], axis=1) for each in (good, bad)]
        limit = np.stack([threshold[part]] * 2, axis=1)
        poured = pour(bucket, *columns, limit, lived[part], first + start, carried)
        found += poured.firing[:, 0].tolist()
        assert not poured.firing[:, 1].any()
    assert found == expected


@pytest.mark.parametrize("per_second", [1, 100, 10_000])
def test_one_tick_of_nothing_but_bad_requests_fires_nothing(per_second: int) -> None:
    """However many there are, and whatever good ones came before it in its block."""
    plan = plan_of(objective("999/1000", 7 * 86_400.0, policy=PolicyKind.BUCKETS), every=None)
    bad = [0] * 8641 + [10 * per_second] + [0] * 300
    block = run(plan, State.fresh(plan, 1000), stream([10 * per_second - each for each in bad], bad))
    assert [each.verdict.condition for each in block.transitions()] == []


def test_an_incident_begins_and_ends_with_a_sentence_and_its_counts() -> None:
    plan = plan_of(objective(policy=PolicyKind.BUCKETS))
    state = State.fresh(plan, 1000)
    whole = stream([1] * 8640 + [0] * 18 + [1] * 400, [0] * 8640 + [1] * 18 + [0] * 400)
    block = run(plan, state, whole)
    begins, ends = block.transitions()
    assert (begins.verdict.condition, begins.verdict.severity) == (Condition.AT_RISK, Severity.PAGE)
    assert begins.verdict.reason == (
        "17 of 17 requests were slow or failed in the last 2 min 50 s: 100 times what 99% allows (outage tier);"
        " at this pace the budget ends in 6 h 40 min; chance of a miss within 28 d: 13 %"
    )
    assert ends.verdict.condition is Condition.OK
    assert ends.column - (8640 + 18) >= 180 - 1


def test_restarts_and_splits_change_nothing() -> None:
    promises = [objective(name=name, policy=PolicyKind.BUCKETS, over=36_000.0) for name in ("a", "b")]
    whole = random_stream(5, 2, 1200)
    plan = plan_of(*promises)
    one, two = State.fresh(plan, 1000), State.fresh(plan, 1000)
    expected = run(plan, one, whole)
    first = run(plan, two, whole.cut(0, 700))
    histories = {key: history(whole.cut(0, 700), row, 1000, 10.0) for row, key in enumerate(plan.keys)}
    second = run(plan, State.restore(plan, histories, two.memory(), 1700), whole.cut(700, 1200))
    assert np.array_equal(np.concatenate([first.standing, second.standing], axis=1), expected.standing)
    assert second.verdicts() == expected.verdicts()


def test_thresholds_at_rest_need_four_bad_and_a_share_of_the_budget() -> None:
    outage, fast, slow = buckets_of()
    none = np.zeros((1, 1))
    assert [int(thresholds(each, none)[1][0, 0]) for each in (outage, fast, slow)] == [4 * UNIT] * 3
    least, needed = thresholds(fast, np.full((1, 1), 8640.0 * 28))
    assert least[0, 0] / UNIT == pytest.approx(24.19, abs=0.01)
    assert needed[0, 0] / UNIT == pytest.approx(7.2, abs=0.01)
