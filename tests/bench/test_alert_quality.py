"""The comparison of decision rules: its figures on cases worked out by hand, its quick form against the bars."""

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from bench.alert_quality.__main__ import QUICK
from bench.alert_quality.figures import Outcome, outcome, row
from bench.alert_quality.judging import Alert, alerts
from bench.alert_quality.rules import OURS, RIVALS, SLOTHS
from bench.alert_quality.running import measured
from bench.alert_quality.showing import bars, save
from bench.alert_quality.streams import DAY, SCENARIOS, TICK, TRAFFIC, Incident, Stream, month, scenario, ticks


def _stream(*incidents: Incident) -> Stream:
    count = ticks(30 * DAY)
    bad = np.zeros(count, dtype=np.int64)
    for each in incidents:
        bad[each.start : each.end] = 1
    lived = np.ones(count, dtype=np.bool_)
    return Stream(Fraction(99, 100), TRAFFIC[1], "quiet", 1 - bad, bad, lived, 0, incidents)


def test_an_alert_is_about_the_incident_in_which_it_began_or_false() -> None:
    incident = Incident(10_000, 10_100, 0.04, "step")
    early, first, second = Alert(9_000, 10_050, False), Alert(10_049, 10_160, True, 2), Alert(10_300, 10_310, False)
    late = Alert(10_100 + ticks(6 * 3600), 20_000, False)
    found = outcome(_stream(incident), [early, first, second, late])
    (caught,) = found.caught
    assert found.false == 2  # one began before the incident, one more than six hours after it
    assert caught.delay == pytest.approx(50 * TICK / 60)
    assert caught.spent == pytest.approx(0.02)  # fifty of its hundred bad ticks
    assert caught.clear == pytest.approx(210 * TICK / 60)
    assert (caught.alerts, caught.steps) == (2, 3)


def test_an_incident_that_nobody_noticed_is_infinitely_late() -> None:
    stream = _stream(Incident(10, 20, 0.03, "step"), Incident(9_000, 9_010, 0.2, "step"))
    found = row("a", [outcome(stream, [Alert(9_001, 9_100, True)])])
    assert found.recall == (pytest.approx(math.nan, nan_ok=True), pytest.approx(math.nan, nan_ok=True), 0.0, 1.0)
    assert found.detect_median == math.inf
    assert found.detect_mean_log == pytest.approx(2 * TICK / 60)
    assert (found.false_per_month, found.alerts_per_incident) == (0.0, 1.0)
    assert math.isnan(row("b", [Outcome(30.0, 0, ())]).precision)


def test_streams_spend_what_they_say_and_are_the_same_again() -> None:
    one, again = month(3, 7), month(3, 7)
    assert np.array_equal(one.bad, again.bad)
    assert one.incidents == again.incidents
    for each in (month(3, number) for number in range(45)):
        events = (each.good + each.bad)[each.counted :].sum()
        noise = each.bad[each.counted :].sum() - sum(
            int(each.bad[own.start : own.end].sum()) for own in each.incidents
        )
        assert noise <= 0.75 * float(1 - each.target) * events + 10, (each.traffic, each.noise)


def test_total_failure_at_99_percent_is_found_as_the_published_rules_say() -> None:
    streams = [scenario("outage 120 min", Fraction(99, 100), TRAFFIC[1], 1, 0)]
    delay = {}
    for rival in RIVALS:
        (found,) = alerts(rival, streams)
        (caught,) = outcome(streams[0], found).caught
        delay[rival.name] = caught.delay
    assert 7 <= delay[SLOTHS] <= 9  # 13.44 % of an hour of probes
    assert 2 <= delay[OURS] <= 4


def test_every_scenario_can_be_made() -> None:
    for name in SCENARIOS:
        made = scenario(name, Fraction(99, 100), TRAFFIC[0], 1, 0)
        assert len(made.good) == len(made.bad) == len(made.lived)
        assert all(each.end <= len(made.good) and each.spend > 0 for each in made.incidents)


@pytest.mark.timeout(170)
@pytest.mark.soak  # a minute of one core
def test_the_quick_form_holds_the_bars(tmp_path: Path) -> None:
    found = measured(QUICK, seed=1, jobs=2)
    assert [bar.what for bar in bars(found) if not bar.held] == []
    save(found, tmp_path / "a.json")
    report = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert {each["rule"] for each in report["mixed"]} == set(found.rules)
    assert set(report["scenarios"]) == set(QUICK.scenarios)
