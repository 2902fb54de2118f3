"""What lies ahead of a budget, which tiers fired when, where probes spent their time: as they are drawn."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.model.alert import Topic
from keeptime.model.incident import Incident, Step
from keeptime.model.phases import PhaseSums
from keeptime.model.series import Bucket, PhaseSeries
from keeptime.model.verdict import Condition, Forecast, Severity, TierReport, TierState, Verdict, WindowCount
from keeptime.testing.showable import NOW, contract, objective, verdict
from keeptime.web.charts.plot import LEFT, RIGHT, WIDE, Plot
from keeptime.web.pages.budget_chart import budget_chart
from keeptime.web.pages.phase_chart import phase_chart
from keeptime.web.pages.tier_strips import strips_of
from keeptime.web.pages.when import When
from tests.web.test_incidents import P99
from tests.web.test_objective_page import LAST, buckets

HOUR, DAY = 3600.0, 86_400.0
TERMS = contract()
WEEK = When(NOW, NOW - 7 * DAY, NOW, "7d", "UTC")
LASTS = Forecast(0.07, NOW + 28 * DAY, None, None, 30.0)
ENDS = Forecast(0.9, NOW + 28 * DAY, NOW + 2 * DAY, (NOW + DAY, NOW + 20 * DAY), 30.0)
COUNTED = buckets(*[(990, 5)] * 9)


def judged(forecast: Forecast | None, exhausted_in: float | None = None) -> Verdict:
    return verdict(TERMS, Condition.OK, good=99, bad=1, forecast=forecast, exhausted_in=exhausted_in)


def test_a_budget_that_ends_is_drawn_to_its_end() -> None:
    chart = budget_chart(objective(), COUNTED, WEEK, 10.0, judged(ENDS))
    assert chart is not None
    assert [each.kind for each in chart.lines] == ["budget", "ahead"]
    assert chart.lines[1].d.endswith(f"L{chart.plot.x(NOW + 2 * DAY):.1f} {chart.plot.y(0):.1f}")
    assert chart.plot.end == NOW + 7 * DAY
    assert chart.upright is not None
    assert [each.kind for each in chart.areas] == ["between"]
    assert "likely to end at 2027-01-17 08:00 UTC; with a chance of 90 % it does until" in chart.said
    assert "With a chance of 80 % it ends between 2027-01-16 08:00 UTC and 2027-02-04 08:00 UTC" in chart.said


def test_a_budget_that_lasts_goes_on_level_or_at_its_pace() -> None:
    level = budget_chart(objective(), COUNTED, WEEK, 10.0, judged(LASTS))
    falling = budget_chart(objective(), COUNTED, WEEK, 10.0, judged(LASTS, 14 * DAY))
    assert level is not None
    assert falling is not None
    assert "lasts until 2027-02-12 08:00 UTC but for a chance of 7 %. Dashed: level" in level.said
    assert "at this pace" in falling.said
    heights = [each.lines[1].d.rpartition(" ")[2] for each in (level, falling)]
    assert float(heights[0]) < float(heights[1])
    assert level.areas == []


def test_of_a_range_that_is_over_nothing_lies_ahead() -> None:
    past = When(NOW, NOW - 2 * HOUR, NOW - HOUR / 2, "", "UTC")
    for when, said in ((past, judged(ENDS)), (WEEK, judged(None)), (WEEK, None)):
        chart = budget_chart(objective(), buckets(*[(99, 1)] * 90), when, 10.0, said)
        assert chart is not None
        assert [each.kind for each in chart.lines] == ["budget"]
        assert chart.upright is None


@given(st.floats(0, 60 * DAY), st.floats(0, 60 * DAY), st.booleans(), st.sampled_from([HOUR, DAY, 90 * DAY]))
def test_what_lies_ahead_lies_within_the_chart(first: float, more: float, open_: bool, seconds: float) -> None:
    forecast = Forecast(0.5, NOW + 28 * DAY, NOW + first, (NOW + first, None if open_ else NOW + first + more), 9.0)
    when = When(NOW, NOW - seconds, NOW, "", "UTC")
    chart = budget_chart(objective(), COUNTED, when, 10.0, judged(forecast))
    assert chart is not None
    corners = [
        each for d in [chart.lines[1].d, *(each.d for each in chart.areas)] for each in d.strip("Z").split("L")
    ]
    across = [float(each.strip("M").split()[0]) for each in corners]
    assert all(LEFT <= x <= WIDE - RIGHT for x in across)
    assert len(corners) >= 2


def tier(name: str, state: TierState) -> TierReport:
    return TierReport(name, Severity.PAGE, state, 14.4, (WindowCount(HOUR, 9, 1, 10.0),))


def step(at: float, *tiers: str) -> Step:
    return Step(at, Topic.AT_RISK, Condition.AT_RISK, Severity.PAGE, tiers, "", "m")


def incident(ended: float | None, *steps: Step) -> Incident:
    return Incident(P99, steps[0].at, Condition.AT_RISK, Severity.PAGE, ended=ended, steps=steps)


def test_a_tier_fires_from_the_change_that_was_told_until_the_next() -> None:
    now = replace(judged(None), tiers=(tier("fast", TierState.PENDING), tier("slow", TierState.QUIET)))
    incidents = [
        incident(None, step(NOW - HOUR, "old")),
        incident(NOW - DAY, step(NOW - 2 * DAY, "slow"), step(NOW - 1.5 * DAY, "fast", "slow"), step(NOW - DAY)),
    ]
    strips = strips_of(now, incidents, buckets((1, 0), None, (1, 0), (1, 0)), WEEK, 10.0)
    assert [(each.name, each.said) for each in strips] == [
        ("fast (page)", "fired 1 time, 12 h in all; now pending"),
        ("slow (page)", "fired 1 time, 1 d in all; now quiet"),
        ("old", "fired 1 time, 1 h in all"),
    ]
    kinds = [[block.kind for block in each.blocks] for each in strips]
    assert kinds[0] == ["watched", "watched", "firing", "pending"], "a gap between what was lived through"
    axis = Plot(WEEK.start, WEEK.end, 0, 1)
    slow = next(block for block in strips[1].blocks if block.kind == "firing")
    assert (slow.x, slow.x + slow.width) == pytest.approx((axis.x(NOW - 2 * DAY), axis.x(NOW - DAY)))
    assert strips_of(None, [], (), WEEK, 10.0) == []
    earlier = When(NOW, NOW - 9 * DAY, NOW - 8 * DAY, "", "UTC")
    assert [each.said for each in strips_of(now, incidents, (), earlier, 10.0)][:2] == ["did not fire"] * 2


def probes(*sums: PhaseSums | None) -> PhaseSeries:
    first = LAST - 6 * len(sums)
    return tuple(Bucket(first + 6 * nth, first + 6 * nth + 6, 6, each) for nth, each in enumerate(sums))


def corners(d: str) -> Sequence[str]:
    return d.split("M")[1:]


def test_phases_lie_one_upon_another_and_leave_gaps() -> None:
    ms = 1_000_000
    one = PhaseSums(2, (0, 4 * ms, 0, 2 * ms, 100 * ms, 0))
    chart = phase_chart(probes(one, one, None, PhaseSums(), one), WEEK, 10.0)
    assert chart is not None
    assert [each.kind for each in chart.areas] == ["connect", "write", "wait"]
    assert [len(corners(each.d)) for each in chart.areas] == [2, 2, 2]
    assert chart.said == (
        "Of 6 probes that succeeded one took 53 ms in the mean: connect 2 ms, write 1 ms, wait 50 ms."
    )
    assert chart.plot.high == pytest.approx(0.053)
    assert chart.head == ("until", "probes", "connect", "write", "wait")
    assert [row[1] for row in chart.rows] == ["2", "2", "2"]
    assert phase_chart(probes(None, PhaseSums()), WEEK, 10.0) is None
    assert phase_chart((), WEEK, 10.0) is None
