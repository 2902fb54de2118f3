"""Adding a rule is one file and one line: here is one, and everything else works with it."""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from keeptime.contract.terms import Objective, PolicyKind
from keeptime.judge.plan import Plan, TierReach
from keeptime.judge.rules import RULES
from keeptime.judge.rules.rule import FIRING, QUIET, Demand, Evidence, Rule, TierTerms
from keeptime.judge.standing import Ints, Standing
from keeptime.judge.state import State
from keeptime.model.verdict import Condition, Severity, TierState

from .build import contract, history, objective, random_stream, run, stream


class Burst:
    """Pages when at least `limit` bad requests came since the last good one. Carries that number."""

    name = "burst"
    memory = ("run",)
    limit = 3

    def tiers(self, objective: Objective, tick_seconds: float, events_per_second: float) -> tuple[TierTerms, ...]:
        return (TierTerms("burst", Severity.PAGE, (6,), objective.budget_ratio, 1.0, 0.01),)

    def step(
        self, tiers: tuple[TierTerms, ...], budget: Fraction, evidence: Evidence, memory: Mapping[str, Ints]
    ) -> Demand:
        runs = np.empty_like(evidence.bad)
        for tick in range(len(runs)):
            memory["run"][...] = np.where(evidence.good[tick] > 0, 0, memory["run"] + evidence.bad[tick])
            runs[tick] = memory["run"]
        state = np.where(runs >= self.limit, FIRING, QUIET).astype(np.int8)
        return Demand(state[None], np.where(state == FIRING, np.int8(Standing.PAGE), np.int8(Standing.OK)))

    def reach(self, tier: TierTerms, budget: Fraction, events_per_second: float, tick_seconds: float) -> TierReach:
        return TierReach(tier.name, tier.severity, 1.0, 0.01, True, self.limit / events_per_second, "")


BURST: Rule = Burst()
ALL = {**RULES, PolicyKind.BUCKETS: BURST}
PROMISES = (
    objective(name="mine", policy=PolicyKind.BUCKETS, over=36_000.0),
    objective(name="theirs", over=36_000.0),
)


def test_it_is_judged_with_its_memory_and_its_sentence() -> None:
    plan = Plan.compile([contract(*PROMISES)], 10.0, ALL)
    state = State.fresh(plan, 1000)
    run(plan, state, stream([1] * 400 + [0, 0], [0] * 400 + [1, 1], rows=2))
    again = State.restore(plan, {}, state.memory(), 1402)
    block = run(plan, again, stream([0], [1], rows=2))
    mine, theirs = block.verdicts()
    assert (mine.condition, mine.severity) == (Condition.AT_RISK, Severity.PAGE)
    assert mine.tiers[0].state is TierState.FIRING
    assert mine.reason.startswith("1 of 1 requests was slow or failed")
    assert theirs.condition is Condition.OK


def test_splits_and_restarts_change_nothing() -> None:
    plan = Plan.compile([contract(*PROMISES)], 10.0, ALL)
    whole = random_stream(5, 2, 1200)
    state, one = State.fresh(plan, 1000), State.fresh(plan, 1000)
    expected = run(plan, one, whole)
    first = run(plan, state, whole.cut(0, 700))
    histories = {key: history(whole.cut(0, 700), row, 1000, 10.0) for row, key in enumerate(plan.keys)}
    again = State.restore(plan, histories, state.memory(), 1700)
    second = run(plan, again, whole.cut(700, 1200))
    assert np.array_equal(np.concatenate([first.standing, second.standing], axis=1), expected.standing)
    assert second.verdicts() == expected.verdicts()
    assert (expected.standing[0] != expected.standing[1]).any()
