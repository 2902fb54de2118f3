"""Pyrra's objectives as contracts."""

from pathlib import Path

import pytest

from keeptime.contract.sources import ClassicHistogram, CounterPair, NativeHistogram, ProbeGauges
from keeptime.contract.terms import Rolling

from .given import EXAMPLES, PYRRA, changed, contracts, imported, one, said

RATIO = PYRRA.partition("    ratio:")[2]


def _indicator(text: str) -> str:
    return changed(PYRRA, (f"    ratio:{RATIO}", text))


def test_every_indicator(tmp_path: Path) -> None:
    found = imported("pyrra", (EXAMPLES / "pyrra.yml").read_text(), tmp_path)
    assert found.problems == ()
    ratio, latency, native, gauge = contracts(found)
    counts = [each.source.counts for each in (ratio, latency, native, gauge) if each.source]
    metric, job = "http_request_duration_seconds", 'job="sentiment"'
    assert counts == [
        CounterPair(
            bad=('http_requests_total{code=~"5..",job="sentiment"}',),
            total=('http_requests_total{job="sentiment"}',),
        ),
        ClassicHistogram(metric, job),
        NativeHistogram(metric, job),
        ProbeGauges(
            "probe_duration_seconds", "probe_success", 'instance="https://sentiment.example.com",job="blackbox"'
        ),
    ]
    assert [each.objectives[0].under for each in (ratio, latency, native, gauge)] == [None, 0.5, 0.2, None]
    assert native.objectives[0].over == Rolling(14 * 86_400)


def test_bounds_are_seconds_whatever_the_name(tmp_path: Path) -> None:
    text = "    latency: {success: {metric: 'm_bucket{le=\"2\"}'}, total: {metric: m_count}}\n"
    contract = one("pyrra", _indicator(text), tmp_path)
    assert contract.objectives[0].under == 2.0
    assert contract.source is not None
    assert contract.source.counts == ClassicHistogram("m")


def test_grouping_is_refused_with_its_place(tmp_path: Path) -> None:
    found = imported("pyrra", PYRRA + "      grouping: [handler, code]\n", tmp_path)
    assert said(found, "grouping") == [
        "11:17 spec.indicator.ratio.grouping: one objective for each handler, code; write a contract for each"
    ]
    assert imported("pyrra", PYRRA + "      grouping: []\n", tmp_path).problems == ()


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    text = changed(
        PYRRA,
        ("{name: errors}", "{name: errors, namespace: x, labels: {a: b}, annotations: {a: b, page: 'https://p/'}}"),
        ("  window: 4w\n", "  window: 4w\n  alerting: {name: Burn, disabled: true, absent: false}\n"),
    )
    found = imported("pyrra", text, tmp_path)
    assert [line.partition(" is left out")[0] for line in said(found, "left-out")] == [
        "3:40 metadata: 'labels'",
        "3:70 metadata.annotations: 'a'",
        "7:14 spec.alerting: 'name'",
        "7:26 spec.alerting: 'disabled'",
    ]
    assert contracts(found)[0].links == {"page": "https://p/"}


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("v1alpha1", "v2", "wrong-format", "1:13"),
        ('"99.9"', '"101"', "bad-target", "5:11"),
        ("4w", "1y", "bad-window", "6:11"),
        ("4w", "366w", "bad-window", "6:11"),
        ("metadata: {name: errors}\n", "", "missing-key", "1:1"),
        ("    ratio:", "    rate:", "one-indicator", "8:5"),
        ("{metric: http_requests_total}", "{metric: sum(http_requests_total)}", "unsayable-query", "10:23"),
        ("{metric: http_requests_total}", "{metric: 'x{'}", "unsayable-query", "10:23"),
        ("{metric: http_requests_total}", "{}", "missing-key", "10:14"),
    ],
)
def test_what_cannot_be_said_has_its_place(old: str, new: str, code: str, place: str, tmp_path: Path) -> None:
    found = imported("pyrra", changed(PYRRA, (old, new)), tmp_path)
    assert found.names == ()
    assert [line.partition(" ")[0] for line in said(found, code)] == [place], found.problems


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("    latencyNative: {latency: fast, total: {metric: m_seconds}}\n", "bad-duration"),
        ("    latencyNative: {latency: 2h, total: {metric: m_seconds}}\n", "unsayable-query"),
        ("    bool_gauge: {metric: '{a=\"b\"}'}\n", "unsayable-query"),
        ("    bool_gauge: {metric: up, grouping: [job]}\n", "grouping"),
        (
            "    latency: {success: {metric: m_seconds_bucket}, total: {metric: m_seconds_bucket}}\n",
            "unsayable-query",
        ),
    ],
)
def test_indicators_that_cannot_be_said(text: str, code: str, tmp_path: Path) -> None:
    found = imported("pyrra", _indicator(text), tmp_path)
    assert len(said(found, code)) == 1, found.problems
    assert found.names == ()
