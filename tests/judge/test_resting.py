"""Maintenance in the judge: silence does not count there, and nothing recovers because of it."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from keeptime.contract.scope import Maintenance, Wanted
from keeptime.judge.advance import advance
from keeptime.judge.block import Block
from keeptime.judge.plan import Plan
from keeptime.judge.resting import Maintained
from keeptime.judge.state import State
from keeptime.model.verdict import Condition
from tests.judge.build import contract, objective

TICK = 10.0
FIRST = round(datetime(2026, 11, 1, 2, tzinfo=UTC).timestamp() / TICK)
"""Maintenance begins with this tick, and lasts an hour: 360 ticks."""
WINDOW = Maintenance("2026-11-01T02:00", 3600.0, "UTC", "restart", "ops", objectives=("o",))


def played(good: list[int], bad: list[int], excluded: list[int], *, start: int, cut: int = 0) -> Block:
    """`o` is in maintenance and `other` is not; both have the same counts."""
    of = contract(objective(), objective(name="other"), no_data_after=60.0)
    plan = Plan.compile([replace(of, maintenance=(WINDOW,))], TICK)
    state = State.fresh(plan, start)
    counts = [np.array([each, each]) for each in (good, bad, excluded)]
    nothing, lived = np.zeros_like(counts[0]), np.ones(len(good), dtype=np.bool_)
    for begin, end in ((0, cut), (cut, len(good))) if cut else ((0, len(good)),):
        part = slice(begin, end)
        block = advance(
            plan, state, start + begin, counts[0][:, part], counts[1][:, part], nothing[:, part], lived[part],
            counts[2][:, part],
        )  # fmt: skip
    return block


def conditions(block: Block) -> list[Condition]:
    return [each.condition for each in block.verdicts()]


def test_an_objective_in_maintenance_is_not_without_data() -> None:
    quiet = [0] * 100
    for excluded in ([0] * 100, [1] * 100):
        block = played([1, *quiet], [0, *quiet], [0, *excluded], start=FIRST - 1)
        assert conditions(block) == [Condition.OK, Condition.NO_DATA]
    assert block.verdicts()[0].excluded == 100
    assert block.verdicts()[0].reason.startswith("in maintenance: restart (ops); none of 1 requests was slow")
    assert "maintenance" not in block.verdicts()[1].reason
    assert (block.verdicts()[0].good, block.verdicts()[0].bad) == (1, 0)


def test_after_it_silence_goes_on_from_where_it_was() -> None:
    """60 s are 6 ticks: two of silence before, then four after."""
    for silent_after, expected in ((3, Condition.OK), (4, Condition.NO_DATA)):
        ticks = 2 + 360 + silent_after
        block = played([1, *[0] * ticks], [0] * (ticks + 1), [0] * (ticks + 1), start=FIRST - 3)
        assert conditions(block) == [expected, Condition.NO_DATA]


def test_what_is_at_risk_stays_so_through_maintenance() -> None:
    block = played([0] * 100, [1] * 50 + [0] * 50, [0] * 50 + [1] * 50, start=FIRST - 50)
    assert conditions(block)[0] is Condition.AT_RISK
    assert conditions(block)[1] is Condition.NO_DATA


def test_any_split_gives_the_same_verdicts() -> None:
    good = [1, 0, 0] * 130
    excluded = [0, 1, 0] * 130
    whole = played(good, [0] * 390, excluded, start=FIRST - 15).verdicts()
    for cut in (1, 15, 200, 376):
        assert played(good, [0] * 390, excluded, start=FIRST - 15, cut=cut).verdicts() == whole


def test_how_many_requests_are_eligible_is_not_taken_from_the_probes() -> None:
    some = replace(objective(name="some"), where=(Wanted("region", ("eu-*",)),))
    plan = Plan.compile([contract(objective(), some)], TICK)
    assert [row.events_per_tick for row in plan.rows] == [1.0, 0.0]


def rest(*windows: Maintenance, first: int = FIRST - 10, ticks: int = 800) -> list[int]:
    """The ticks from FIRST on that lie wholly in maintenance."""
    flags = Maintained((windows,)).resting(first, ticks, TICK)
    return [] if flags is None else (np.flatnonzero(flags[:, 0]) + first - FIRST).tolist()


def test_windows_that_overlap_or_meet_cover_the_ticks_between_them() -> None:
    half = replace(WINDOW, start="2026-11-01T02:30")
    meets, gap = replace(WINDOW, start="2026-11-01T03:00"), replace(WINDOW, start="2026-11-01T03:01")
    assert rest(WINDOW) == list(range(360))
    assert rest(half, WINDOW) == list(range(540))
    assert rest(meets, WINDOW) == list(range(720))
    assert rest(WINDOW, gap) == [*range(360), *range(366, 726)]


def test_a_tick_that_is_in_maintenance_in_part_is_not_covered() -> None:
    assert rest(replace(WINDOW, lasts=25.0)) == [0, 1]
    late = Maintenance("2026-11-01T02:00", 5.0, "UTC", "r", "a")
    assert rest(late) == []


def test_any_block_says_the_same_across_midnight() -> None:
    night = Maintenance("2026-10-30T23:30", 3600.0, "UTC", "r", "a", "FREQ=DAILY")
    of, first = Maintained(((), (night,))), FIRST - 1200
    whole = of.resting(first, 1000, TICK)
    assert whole is not None
    assert whole[:, 1].sum() == 360
    assert not whole[:, 0].any()
    for tick in range(0, 1000, 7):
        one = of.resting(first + tick, 1, TICK)
        assert (one is not None) == whole[tick, 1]
