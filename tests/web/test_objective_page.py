"""An objective's page: what was counted as charts and in words, gaps, incidents, and what there is not."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.contract.terms import Calendar
from keeptime.errors import StoreError
from keeptime.model.exemplar import Exemplar
from keeptime.model.key import Signal, SignalKey
from keeptime.model.series import Bucket, Series, SketchSeries
from keeptime.model.sketch import Sketch
from keeptime.model.tally import Tally
from keeptime.model.trace import Why
from keeptime.model.verdict import Condition
from keeptime.testing.past import FakePast
from keeptime.testing.showable import NOW, FakeShowable, contract, objective, verdict, view
from keeptime.web.charts.plot import BOTTOM, HIGH, LEFT, RIGHT, TOP, WIDE, Plot, path, ticks, times
from keeptime.web.pages.budget_chart import budget_left
from keeptime.web.pages.when import When
from tests.web.cards import words
from tests.web.conftest import Serve
from tests.web.scenes import INERT
from tests.web.test_incidents import WORST, happened

TERMS = contract()
KEY = TERMS.key(TERMS.objectives[0])
LAST = int(NOW // 10)


def buckets(*counts: tuple[int, int] | None) -> Series:
    """(good, bad) of each minute up to now; None: not lived through."""
    first = LAST - 6 * len(counts)
    return tuple(
        Bucket(first + 6 * nth, first + 6 * nth + 6, 6 * (each is not None), None if each is None else Tally(*each))
        for nth, each in enumerate(counts)
    )


def took(*seconds: float | None) -> SketchSeries:
    def sketch(value: float | None) -> Sketch | None:
        if value is None:
            return None
        made = Sketch()
        made.add(value, 9)
        return made

    first = LAST - 6 * len(seconds)
    return tuple(Bucket(first + 6 * nth, first + 6 * nth + 6, 6, sketch(each)) for nth, each in enumerate(seconds))


def daemon(past: FakePast) -> FakeShowable:
    judged = verdict(TERMS, Condition.BROKEN, good=80, bad=20)
    return FakeShowable([view(TERMS, [judged])], happened=happened(), past=past)


def test_what_was_counted_is_drawn_and_said(serve: Serve) -> None:
    past = FakePast(
        {KEY: buckets((60, 0), (30, 30), None, (60, 0))},
        {SignalKey(TERMS.name, Signal.REQUESTS): took(0.01, 0.8, None, 0.02)},
    )
    page = serve(daemon(past)).get(f"/contracts/{TERMS.name}/p99?range=1h")
    assert page.status == 200
    assert (
        "83.33% of 180 events were good; the target is 99%. Of 3 stretches of 1 min, 1 were below it." in page.text
    )
    assert "threshold 500 ms" in page.text
    assert f'href="/incidents/{WORST.id}"' in page.text
    assert page.text.count('class="line-') == 5
    for each in re.findall(r'<svg class="plot".*?</svg>(?=\s*<figcaption)', page.text, re.DOTALL):
        ET.fromstring(each)
    sli = re.search(r'class="line-sli" d="([^"]*)"', page.text)
    assert sli is not None
    assert sli[1].count("M") == 2
    again = serve(daemon(past)).get(f"/contracts/{TERMS.name}/p99?range=1h", If_None_Match=page.headers["etag"])
    assert again.status == 304


def test_an_objective_without_a_threshold_has_its_latencies(serve: Serve) -> None:
    alive = contract(objectives=[objective("alive", under=None)])
    past = FakePast(took={SignalKey(alive.name, Signal.REQUESTS): took(0.01, 0.8)})
    page = serve(FakeShowable([view(alive)], past=past)).get(f"/contracts/{alive.name}/alive?range=1h")
    assert page.status == 200
    assert "Requests: p99 between" in page.text
    assert "threshold 5" not in page.text


def test_nothing_counted_is_said_and_what_there_is_not_is_a_page(serve: Serve) -> None:
    where = serve(daemon(FakePast()))
    page = where.get(f"/contracts/{TERMS.name}/p99?tz=Europe/Berlin").text
    assert page.count("There was no event in this time.") == 2
    assert "No latencies of single requests are known of this time." in page
    for path_, status in (
        (f"/contracts/{TERMS.name}/nobody", 404),
        ("/contracts/nobody/p99", 404),
        (f"/contracts/{TERMS.name}/p99?range=1y", 400),
        (f"/contracts/{TERMS.name}/p99?start=9&end=1", 400),
        (f"/contracts/{TERMS.name}/p99?tz=Mars", 400),
    ):
        assert where.get(path_).status == status
    failing = FakePast(error=StoreError("the disk is full"))
    assert serve(daemon(failing)).get(f"/contracts/{TERMS.name}/p99").status == 503


def test_slow_requests_are_listed_the_newest_or_the_slowest(serve: Serve) -> None:
    shown = daemon(FakePast())
    ms, at = 1_000_000, round((NOW - 600) * 1e9)
    shown.explaining.kept = [
        Exemplar(TERMS.name, at, 900 * ms, Why.SLOW, status=200,
                 phases={"wait": 880 * ms, "connect": 15 * ms, "dns": ms},
                 timings={"queue": 700 * ms}, attributes={"model_version": INERT}, trace="ab" * 16,
                 stacks=(("main;predict", 2), ("main;encode", 9))),
        Exemplar(TERMS.name, at + 1, 20 * ms, Why.USUAL, status=200),
        Exemplar(TERMS.name, round((NOW - 1) * 1e9), 5 * ms, Why.FAILED, "too_large", 200, observer="push"),
        Exemplar(TERMS.name, at - 1, 6 * ms, Why.FAILED, "status", 500),
        Exemplar("another", at, 999 * ms, Why.SLOW),
    ]  # fmt: skip
    where = serve(shown)
    newest = where.get(f"/contracts/{TERMS.name}/p99?range=1h").text
    text = words(newest)
    assert "connect 15 ms, wait 880 ms; on the server: queue 700 ms" in text
    assert "failed: status 500 (probe)" in text
    assert "it stood in encode" in text
    assert "failed: too large, status 200 (push)" in text
    assert "20 ms" not in text
    assert "999 ms" not in text
    assert f'<a href="/incidents/{WORST.id}/traces?trace={"ab" * 16}">' in newest
    assert text.index("5 ms failed") < text.index("900 ms")
    slowest = words(where.get(f"/contracts/{TERMS.name}/p99?range=1h&requests=slowest").text)
    assert slowest.index("900 ms") < slowest.index("5 ms failed")
    assert where.get(f"/contracts/{TERMS.name}/p99?requests=fastest").status == 400
    assert "Nothing is kept yet" in where.get(f"/contracts/{TERMS.name}/p99?start=1&end=2").text
    shown.explaining.wrong = StoreError("the disk is full")
    assert where.get(f"/contracts/{TERMS.name}/p99").status == 503


def test_what_two_observers_saw_of_a_request_is_one_row(serve: Serve) -> None:
    shown = daemon(FakePast())
    ms, at = 1_000_000, round((NOW - 600) * 1e9)
    stood = (("main;predict (serve.py:98);[waiting]", 9),)
    shown.explaining.kept = [
        Exemplar(TERMS.name, at, 900 * ms, Why.SLOW, status=200, attributes={"region": "eu"}, trace="ab" * 16),
        Exemplar(TERMS.name, at - 1, 880 * ms, Why.SLOW, timings={"queue": 700 * ms}, observer="exemplars",
                 attributes={"region": "inner", "batch": "8"}, trace="ab" * 16, stacks=stood),
        *(Exemplar(TERMS.name, at - n, (600 + n) * ms, Why.SLOW, observer="push", trace="cd" * 16) for n in (2, 3)),
        Exemplar(TERMS.name, at - 4, 700 * ms, Why.SLOW),
        Exemplar(TERMS.name, at - 5, 701 * ms, Why.SLOW, observer="push"),
    ]  # fmt: skip
    text = words(serve(shown).get(f"/contracts/{TERMS.name}/p99?range=1h").text)
    assert "900 ms status 200 (probe, exemplars) on the server: queue 700 ms" in text
    assert "it stood in predict (serve.py:98) [waiting]" in text
    assert "region eu, batch 8" in text
    assert "880 ms" not in text
    assert [f"{took} ms" in text for took in (602, 603, 700, 701)] == [True] * 4


def test_the_budget_is_of_the_window_that_ended_then() -> None:
    two_minutes = objective("p90", "9/10", over=120.0)
    left = [each for _, each in budget_left(two_minutes, buckets((90, 10), (100, 0), (80, 20), (100, 0)), 10.0)]
    assert left == pytest.approx([0.0, 0.5, 0.0, 0.0])
    assert [each for _, each in budget_left(two_minutes, buckets(None, (0, 0)), 10.0)] == [None, None]


def test_the_budget_of_a_calendar_day_begins_anew_with_the_day() -> None:
    midnight = int(datetime(2026, 11, 26, tzinfo=UTC).timestamp()) // 10
    found = tuple(
        Bucket(midnight + 6 * nth, midnight + 6 * nth + 6, 6, Tally(*each))
        for nth, each in ((-1, (50, 50)), (0, (95, 5)), (1, (100, 0)))
    )
    day = objective("day", "9/10")
    object.__setattr__(day, "over", Calendar("day", "UTC"))
    assert [each for _, each in budget_left(day, found, 10.0)] == pytest.approx([-4.0, 0.5, 0.75])


@given(
    st.floats(1e9, 2e9), st.floats(60, 9e6), st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
)  # fmt: skip
def test_labels_of_time_lie_within_in_order_and_are_few(start: float, seconds: float, zone: str) -> None:
    when = When(start + seconds, start, start + seconds, "", zone)
    labels = times(when.start, when.end, when.local)
    assert [each.at for each in labels] == sorted({each.at for each in labels})
    assert all(LEFT <= each.at <= WIDE - RIGHT for each in labels)
    assert len(labels) <= 9


@given(st.floats(1e-6, 1e3), st.floats(1.01, 1e6), st.booleans(), st.lists(st.floats(0, 1e9), min_size=1))
def test_everything_lies_within_the_chart(low: float, factor: float, log: bool, values: list[float]) -> None:
    plot = Plot(0, 10, low, low * factor, log)
    for each in [*(plot.y(value) for value in values), *(label.at for label in ticks(plot, str))]:
        assert TOP - 1e-6 <= each <= HIGH - BOTTOM + 1e-6
    assert path(plot, [(0, None), (1, None)]) == ""
    assert path(plot, [(0, low), (1, None), (2, low), (3, low)]).count("h-3M") == 1, "a point alone is seen"


def test_midnight_of_a_day_with_25_hours_is_labelled_once() -> None:
    start = datetime(2026, 10, 24, tzinfo=UTC).timestamp()
    when = When(start + 4 * 86_400, start, start + 4 * 86_400, "", "Europe/Berlin")
    labels = times(when.start, when.end, when.local)
    assert [each.text for each in labels] == ["25 Oct", "26 Oct", "27 Oct"] or len(labels) >= 3
