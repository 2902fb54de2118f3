"""What a tier can notice: the closed forms against the judge itself, and the table against its source."""

import numpy as np
import pytest

from keeptime.contract.kinds import LEAST_RATIO
from keeptime.contract.terms import Calendar, Objective, Policy, PolicyKind, Rolling, Tier
from keeptime.judge.plan import reach
from keeptime.judge.rules import rule_for
from keeptime.judge.rules.rule import FIRING
from keeptime.judge.state import State
from keeptime.judge.totals import step_of
from keeptime.model.verdict import Severity, TierState

from .build import DAY, Stream, objective, plan_of, random_stream, run

HEALTHY_DAYS = 4


def simulated(promise: Objective, tier: int, every: float, tick: float = 10.0) -> float | None:
    """Seconds from the start of a total failure until this tier fires, by the judge."""
    plan = plan_of(promise, every=every, tick=tick)
    state = State.fresh(plan, 10_000_000)
    healthy = round(HEALTHY_DAYS * DAY / tick)
    slots = np.diff(np.floor(np.arange(2 * healthy + 1) * tick / every + 1e-9)).astype(np.int64)[None]
    run(
        plan,
        state,
        Stream(
            slots[:, :healthy], 0 * slots[:, :healthy], 0 * slots[:, :healthy], np.ones(healthy, dtype=np.bool_)
        ),
    )
    zero, alive = np.zeros((1, 1), dtype=np.int64), np.ones(1, dtype=np.bool_)
    for at in range(healthy):
        block = run(plan, state, Stream(zero, slots[:, healthy + at : healthy + at + 1], zero, alive))
        if block.moments[0][0].tiers[tier, 0] == FIRING:
            return (at + 1) * tick
    return None


@pytest.mark.parametrize(
    ("target", "over", "every", "tiers"),
    [
        ("9/10", 28 * DAY, 10.0, (0,)),
        ("95/100", 28 * DAY, 10.0, (0,)),
        ("99/100", 28 * DAY, 10.0, (0, 1, 2, 3)),
        ("999/1000", 28 * DAY, 10.0, (0, 1, 2, 3)),
        ("99/100", 28 * DAY, 60.0, (0, 1)),
        ("999/1000", 28 * DAY, 60.0, (0, 1)),
        ("99/100", 28 * DAY, 1.0, (0,)),
        ("99/100", 7 * DAY, 10.0, (0, 1, 2, 3)),
        ("95/100", 6 * 3600.0, 10.0, (0, 1)),
    ],
)
def test_time_to_notice_total_failure_is_what_the_judge_takes(
    target: str, over: float, every: float, tiers: tuple[int, ...]
) -> None:
    promise = objective(target, over)
    found = reach(promise, 1 / every, 10.0)
    terms = rule_for(PolicyKind.BURN_RATE).tiers(promise, 10.0, 0.1)
    for tier in tiers:
        real = simulated(promise, tier, every)
        said = found[tier].seconds_to_notice_total_failure
        assert real is not None
        assert said is not None
        grid = max(step_of(window, 10.0) * float(terms[tier].error_ratio) * 10.0 for window in terms[tier].windows)
        assert real <= said <= real + grid + every + 10.0, (found[tier].name, real, said)


@pytest.mark.parametrize(
    ("target", "over", "every"),
    [
        ("9/10", 28 * DAY, 10.0),
        ("99/100", 28 * DAY, 10.0),
        ("99/100", 28 * DAY, 60.0),
        ("99/100", 28 * DAY, 7.0),
        ("99/100", 28 * DAY, 0.5),
        ("999/1000", 28 * DAY, 0.1),
        ("999/1000", 28 * DAY, 60.0),
        ("95/100", 6 * 3600.0, 10.0),
        ("8/10", 300.0, 1.0),
    ],
)
def test_time_until_a_bucket_overflows_is_what_the_judge_takes_at_most(
    target: str, over: float, every: float
) -> None:
    """Total failure begins at any tick of a block, and a slot may just have gone by."""
    promise = objective(target, over, PolicyKind.BUCKETS)
    longest = map(max, zip(*(filled(promise, every, phase) for phase in range(3)), strict=True))
    for found, real in zip(reach(promise, 1 / every, 10.0), longest, strict=True):
        said = found.seconds_to_notice_total_failure
        assert said is not None
        assert real <= said <= real + every + 10.0, (found.name, real, said)


def filled(promise: Objective, every: float, phase: int, tick: float = 10.0) -> list[float]:
    """Seconds from the start of a total failure, so many ticks into a block, until each bucket fires."""
    plan, healthy = plan_of(promise, every=every, tick=tick), 300 + phase
    state = State.fresh(plan, 9_999_999)
    slots = np.diff(np.floor(np.arange(healthy + 2001) * tick / every + 1e-9)).astype(np.int64)[None]
    zeros, alive = np.zeros_like(slots), np.ones(slots.shape[1], dtype=np.bool_)
    run(plan, state, Stream(slots, zeros, zeros, alive).cut(0, healthy))
    failing, found = Stream(zeros, slots, zeros, alive), dict[int, float]()
    for at in range(healthy, slots.shape[1]):
        fires = run(plan, state, failing.cut(at, at + 1)).moments[0][0].tiers[:, 0] == FIRING
        for tier in np.flatnonzero(fires).tolist():
            found.setdefault(tier, (at + 1 - healthy) * tick)
        if fires.all():
            break
    return [found[tier] for tier in range(3)]


def test_sustained_takes_its_hold() -> None:
    promise = objective(policy=PolicyKind.SUSTAINED)
    (found,) = reach(promise, 0.1, 10.0)
    assert found.can_fire
    assert found.seconds_to_notice_total_failure == simulated(promise, 0, 10.0)


@pytest.mark.parametrize("over", [Rolling(28 * DAY), Rolling(30 * DAY), Calendar("month")])
def test_the_published_table_is_taken_as_published(over: Rolling | Calendar) -> None:
    tiers = rule_for(PolicyKind.BURN_RATE).tiers(objective("99/100", over), 10.0, 0.1)
    assert [tier.windows for tier in tiers] == [(360, 30), (2160, 180), (8640, 720), (25_920, 2160)]
    assert [tier.severity for tier in tiers] == [Severity.PAGE, Severity.PAGE, Severity.TICKET, Severity.TICKET]
    days = over.seconds / DAY if isinstance(over, Rolling) else 30
    published = [14.4, 6, 3, 1] if days == 30 else [13.44, 5.6, 2.8, 0.9333333333333333]
    assert [tier.burn_limit for tier in tiers] == pytest.approx(published, rel=1e-12)


def test_a_week_has_windows_of_a_week() -> None:
    tiers = rule_for(PolicyKind.BURN_RATE).tiers(objective("99/100", 7 * DAY), 10.0, 0.1)
    assert [tier.windows for tier in tiers] == [(84, 7), (504, 42), (2016, 168), (6048, 504)]
    assert [tier.burn_limit for tier in tiers] == pytest.approx([14.4, 6, 3, 1])


@pytest.mark.parametrize("over", [10.0, 60.0, 300.0, 3600.0, 400 * DAY])
@pytest.mark.parametrize("tick", [1.0, 10.0, 60.0])
def test_scaled_windows_are_whole_ticks_and_no_two_tiers_are_alike(over: float, tick: float) -> None:
    tiers = rule_for(PolicyKind.BURN_RATE).tiers(objective("99/100", over), tick, 0.1)
    assert len({tier.windows for tier in tiers}) == len(tiers) >= 1
    for tier in tiers:
        long, short = tier.windows
        assert long >= 3
        assert 1 <= short < long
        assert 0 < tier.error_ratio <= 0.8
        assert tier.burn_limit >= 0.9


def test_a_published_tier_that_could_never_fire_is_lowered_and_says_so() -> None:
    found = reach(objective("9/10"), 0.1, 10.0)[0]
    assert found.can_fire
    assert found.error_ratio == pytest.approx(0.8)
    assert found.burn_limit == pytest.approx(8.0)
    assert "needs 134.4 % of requests to fail; lowered to 80 %" in found.note


def test_a_given_tier_that_could_never_fire_is_reported() -> None:
    policy = Policy(
        PolicyKind.BURN_RATE, (Tier(Severity.PAGE, 3600.0, 300.0, 14.4), Tier(Severity.PAGE, 3600.0, 300.0, 6.0))
    )
    never, fires = reach(objective("9/10", policy=policy), 0.1, 10.0)
    assert not never.can_fire
    assert never.seconds_to_notice_total_failure is None
    assert "needs 144 % of requests to fail" in never.note
    assert fires.can_fire


def test_too_few_requests_are_reported() -> None:
    found = reach(objective("99/100"), 1 / 3600, 10.0)[0]
    assert not found.can_fire
    assert "1 requests in 1 h are too few" in found.note


def test_with_unknown_traffic_enough_of_it_is_assumed() -> None:
    found = reach(objective("99/100"), 0.0, 10.0)[0]
    assert found.can_fire
    assert found.seconds_to_notice_total_failure == 490.0


def test_a_rule_that_is_not_built_is_judged_by_burn_rates() -> None:
    assert rule_for(PolicyKind.BUCKETS).tiers(objective(), 10.0, 0.1)
    assert list(TierState)[int(FIRING)] == TierState.FIRING


@pytest.mark.parametrize("policy", list(PolicyKind))
@pytest.mark.parametrize("target", [str(LEAST_RATIO), f"{10**28 - 1}/{10**28}"])
def test_the_least_and_the_greatest_target_that_can_be_written_are_judged(policy: PolicyKind, target: str) -> None:
    promise = objective(target, policy=policy)
    assert reach(promise, 0.1, 10.0)
    plan = plan_of(promise)
    run(plan, State.fresh(plan, 10_000_000), random_stream(1, 1, 500))
