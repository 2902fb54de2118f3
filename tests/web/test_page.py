"""What the first page and contracts' pages say, and that nothing in them can be more than text."""

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.app.view import DeliveryView
from keeptime.model.sample import Failure
from keeptime.model.tally import Tally
from keeptime.model.verdict import Condition
from keeptime.testing.showable import FakeShowable, contract, objective, observed, sample, verdict, view
from keeptime.web.figures import shown_ratio
from tests.web.cards import overview, pages, words
from tests.web.scenes import INERT, every_condition


def shown(daemon: FakeShowable) -> str:
    return words(pages(daemon))


def test_every_condition_is_a_word_with_its_figures_and_its_reason() -> None:
    daemon = every_condition()
    text = shown(daemon)
    for word in ("ok", "at risk (page)", "broken", "no data", "waiting"):
        assert f" {word} " in text
    assert "99% of requests under 500ms over 28d" in text
    assert "99.9% of requests succeed over 28d" in text
    assert "99.59% target 99%" in text
    assert "Budget left 1,442 of 2,419 requests" in text
    assert "Budget left 0 of 241 requests; 2,547 over" in text
    assert "Burn now 23.3× over 5m" in text
    for each in daemon.contracts[0].verdicts:
        assert each is not None
        assert each.reason in text
    assert "since 07:58:34 UTC (1 min 30 s)" in text
    assert "since 2027-01-13 08:00 UTC (2 d)" in text
    assert "21.3 ms, status 200, 3 s ago" in text
    assert "failed (refused) after 1.1 ms, 3 s ago" in text
    assert "2 waiting, oldest for 1 min 4 s" in text
    assert "503 from the receiver" in text
    assert "1,000 sent, 40 failed" in text


def test_before_the_first_verdict_it_says_when_that_will_be() -> None:
    text = shown(FakeShowable([view(contract())]))
    assert "First verdict in 6 s" in text
    assert "no probe has ended yet" in text
    assert "nobody: the contract names no consumer and no operator" in text


def test_without_contracts_it_says_what_to_do() -> None:
    assert "No contract is loaded" in words(overview(FakeShowable()))


def test_without_events_there_is_no_ratio() -> None:
    of = contract()
    text = shown(FakeShowable([view(of, [verdict(of, Condition.NO_DATA)])]))
    assert "no events target 99%" in text
    assert "0%" not in text.replace("100%", "")


def test_a_refused_reload_and_ill_health_are_banners() -> None:
    daemon = FakeShowable([view(contract())])
    assert "alert" not in overview(daemon)
    daemon.reload_error, daemon.problems = "sla.yaml:7:12: '500' has no unit", ("disk full", "clock stepped")
    html = overview(daemon)
    assert html.count('role="alert"') == 2
    for sentence in ("sla.yaml:7:12: '500' has no unit", "disk full", "clock stepped"):
        assert sentence in words(html)


def test_any_text_in_a_contract_is_inert() -> None:
    of = contract(INERT, model=INERT, provider=INERT, objectives=[objective(INERT)], url=f"http://h/{INERT}")
    daemon = FakeShowable([view(of, [verdict(of, Condition.OK, good=9, reason=INERT)])])
    daemon.deliveries = [DeliveryView(INERT, INERT, INERT, 1, 1, 1, 1.0, INERT)]
    daemon.problems, daemon.reload_error = (INERT,), INERT
    daemon.contracts[0] = view(of, daemon.contracts[0].verdicts, last_sample=sample(detail=INERT))
    html = pages(daemon)
    assert html.count("<script") == html.count('<script src="/static/keeptime.js" defer></script>') == 1
    assert "49" not in words(html)
    assert words(html).count(INERT) >= 8


def test_no_inline_style_or_script_is_needed() -> None:
    html = overview(every_condition()) + pages(every_condition())
    assert not re.search(r"<script>|<style|\sstyle=|\son\w+=|javascript:", html)


def test_each_mark_has_its_own_shape_and_each_bar_its_words() -> None:
    html = pages(every_condition())
    shapes = set(re.findall(r'<(?:path|circle|rect)[^>]*class="(?:face|ring)"/>', html))
    assert len(shapes) == 5
    assert 'aria-label="error budget left: 1,442 of 2,419 requests"' in html
    assert html.count("<title>") == html.count('role="img"') + html.count("<!doctype")


@pytest.mark.parametrize("failure", [*Failure, None])
def test_every_way_a_probe_ends_is_said(failure: Failure | None) -> None:
    of = contract()
    text = shown(FakeShowable([view(of, last_sample=sample(failure=failure, status=503))]))
    assert ("status 503" if failure is None else failure.value.replace("_", " ")) in text


@pytest.mark.parametrize(
    ("good", "events", "target", "text"),
    [
        (98_997, 100_000, "99/100", "98.99%"),
        (999_999, 1_000_000, "99/100", "99.99%"),
        (100, 100, "99/100", "100%"),
        (0, 7, "1/2", "0.00%"),
        (99_899_999, 100_000_000, "999/1000", "99.899%"),
        (2, 3, "1/2", "66.66%"),
    ],
)
def test_ratios_are_rounded_down(good: int, events: int, target: str, text: str) -> None:
    assert shown_ratio(good, events, Fraction(target)) == text


@given(
    events=st.integers(1, 10**9),
    share=st.floats(0, 1),
    target=st.sampled_from(["1/2", "9/10", "99/100", "999/1000", "9995/10000", "99999/100000"]),
)
def test_a_missed_target_never_looks_met(events: int, share: float, target: str) -> None:
    good, promised = min(events, int(events * share)), Fraction(target)
    on_screen = Fraction(shown_ratio(good, events, promised).rstrip("%")) / 100
    assert (on_screen >= promised) == (Fraction(good, events) >= promised)


def test_a_contract_that_is_counted_elsewhere_shows_its_series_and_cannot_be_probed() -> None:
    problem = "Prometheus cannot be reached: no connection (Connection refused)"
    troubled = view(observed(), reads={"ok": 3, "failed": 1}, source_problem=problem)
    html = pages(FakeShowable([troubled]))
    assert f"Series {problem}" in words(html)
    assert "counts from http://127.0.0.1:9090" in words(html)
    assert "probe now" not in html
    well = view(observed(), reads={"ok": 1234, "failed": 0}, counted=[Tally(good=40, bad=2)])
    said = words(pages(FakeShowable([well])))
    assert "Series 1,234 reads" in said
    assert "42 counted, 2 bad" in said
