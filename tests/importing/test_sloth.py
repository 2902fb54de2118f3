"""Sloth's files as contracts."""

from fractions import Fraction
from pathlib import Path

import pytest

from keeptime.contract.sources import ClassicHistogram, CounterPair
from keeptime.contract.terms import PolicyKind, Rolling, Tier
from keeptime.model.verdict import Severity

from .given import EXAMPLES, SLOTH, changed, contracts, imported, one, said


def test_a_spec_becomes_contracts(tmp_path: Path) -> None:
    found = imported("sloth", (EXAMPLES / "sloth.yml").read_text(), tmp_path, window="28d")
    errors, latency, quick = contracts(found)
    assert found.problems == ()
    assert (errors.name, errors.model) == ("sentiment-availability", "sentiment")
    assert errors.links == {"runbook": "https://wiki.example.com/sentiment"}
    assert errors.source is not None
    assert isinstance(errors.source.counts, CounterPair)
    (promise,) = latency.objectives
    assert (promise.target, promise.under, promise.over) == (Fraction(99, 100), 0.5, Rolling(28 * 86_400))
    assert latency.source is not None
    assert latency.source.counts == ClassicHistogram("http_request_duration_seconds", 'job="sentiment"')
    assert quick.source is not None
    assert quick.source.counts == ClassicHistogram(
        "http_request_duration_seconds", 'job="sentiment"', 'code=~"5.."'
    )


def test_where_it_came_from_is_a_comment(tmp_path: Path) -> None:
    text = imported("sloth", changed(SLOTH, ("alerting: {}", "alerting: {name: Bad}")), tmp_path).text
    assert text.startswith(f"# Imported from {tmp_path}/given.yml:4: Sloth prometheus/v1, service api, SLO errors.")
    assert "# Its alert was named Bad." in text
    assert text.endswith("# nobody is told yet: add operators or consumers\n")


def test_a_comment_stays_a_comment(tmp_path: Path) -> None:
    more = 'description: "one\\ncontract: evil\\u2028x: y"'
    contract = one("sloth", changed(SLOTH, ("    sli:", f"    {more}\n    sli:")), tmp_path)
    assert contract.name == "api-errors"


def test_a_service_that_is_no_text_of_one_line_is_refused(tmp_path: Path) -> None:
    found = imported("sloth", changed(SLOTH, ("service: api", 'service: "a\\nb"')), tmp_path)
    assert "holds a control character" in said(found, "no-contract")[0]


def test_the_window_is_sloths_own_unless_it_is_said(tmp_path: Path) -> None:
    found = imported("sloth", SLOTH, tmp_path)
    assert contracts(found)[0].objectives[0].over == Rolling(30 * 86_400)
    (warning,) = said(found, "window-assumed")
    assert "taken as 30d" in warning
    found = imported("sloth", SLOTH, tmp_path, window="7d")
    assert contracts(found)[0].objectives[0].over == Rolling(7 * 86_400)
    assert found.problems == ()


def test_the_prometheus_is_the_one_that_is_said(tmp_path: Path) -> None:
    source = one("sloth", SLOTH, tmp_path, url="http://prometheus.example.com:9090").source
    assert source is not None
    assert source.url == "http://prometheus.example.com:9090"


@pytest.mark.parametrize("disabled", ["page_alert", "pageAlert"])
def test_an_alert_that_is_off_stays_off(disabled: str, tmp_path: Path) -> None:
    text = changed(SLOTH, ("alerting: {}", f"alerting: {{{disabled}: {{disable: true}}}}"))
    (objective,) = one("sloth", text, tmp_path, window="28d").objectives
    assert objective.policy.kind is PolicyKind.BURN_RATE
    assert objective.policy.tiers == (
        Tier(Severity.TICKET, 86_400, 7200, 2.8),
        Tier(Severity.TICKET, 259_200, 21_600, 0.933333),
    )


def test_both_alerts_off_is_named(tmp_path: Path) -> None:
    both = "alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}"
    found = imported("sloth", changed(SLOTH, ("alerting: {}", both)), tmp_path, window="28d")
    assert contracts(found)[0].objectives[0].policy.tiers == ()
    assert "both alerts are disabled" in said(found, "left-out")[0]


def test_links_are_kept_by_the_contracts_own_rules(tmp_path: Path) -> None:
    links = "{runbook: 'https://x.example.com/a.md#alert', secret: 'https://me:pw@x/', summary: see https://x/}"
    found = imported(
        "sloth", changed(SLOTH, ("alerting: {}", f"alerting: {{annotations: {links}}}")), tmp_path, window="28d"
    )
    assert contracts(found)[0].links == {"runbook": "https://x.example.com/a.md#alert"}
    left = [line.partition(" ")[2].partition(" is left out")[0] for line in said(found, "left-out")]
    assert left == ["slos[1].alerting.annotations: 'secret'", "slos[1].alerting.annotations: 'summary'"]
    assert found.whole


def test_everything_left_out_is_named_at_its_place(tmp_path: Path) -> None:
    text = changed(
        SLOTH,
        ("service: api\n", "service: api\nlabels: {team: a}\nslo_plugins: {}\n"),
        ("    objective: 99.9\n", "    objective: 99.9\n    labels: {a: b}\n"),
        ("alerting: {}", "alerting: {labels: {a: b}, annotations: {summary: x}, page_alert: {labels: {c: d}}}"),
    )
    found = imported("sloth", text, tmp_path, window="28d")
    assert [line.partition(" is left out")[0] for line in said(found, "left-out")] == [
        "3:1 'labels'",
        "4:1 'slo_plugins'",
        "8:5 slos[1]: 'labels'",
        "13:16 slos[1].alerting: 'labels'",
        "13:46 slos[1].alerting.annotations: 'summary'",
        "13:72 slos[1].alerting.page_alert: 'labels'",
    ]
    assert found.whole


def test_a_fixed_range_is_named(tmp_path: Path) -> None:
    found = imported("sloth", SLOTH.replace("{{.window}}", "5m"), tmp_path, window="28d")
    assert found.whole
    assert ["the range [5m] is left out" in line for line in said(found, "left-out")] == [True, True]


@pytest.mark.parametrize(
    ("old", "new", "code", "place"),
    [
        ("prometheus/v1", "prometheus/v2", "wrong-format", "1:10"),
        ("version: prometheus/v1\n", "", "missing-key", "1:1"),
        ("service: api\n", "", "missing-key", "1:1"),
        ("99.9", "100", "bad-target", "5:16"),
        ("99.9", "99,9", "bad-target", "5:16"),
        ("99.9", "0", "bad-target", "5:16"),
        ("99.9", "[99]", "wrong-type", "5:16"),
        ("sum(rate(http_requests_total{code", "avg(rate(http_requests_total{code", "unsayable-query", "8:22"),
        ('{code="500"}', "", "unsayable-query", "8:9"),
        ("total_query", "totl_query", "missing-key", "8:9"),
        ("events:", "plugin:", "sli-plugin", "8:9"),
        ("events:", "bogus:", "one-indicator", "7:7"),
        ("  - name: errors\n    objective", "  - objective", "missing-key", "4:5"),
        ("[{{.window}}]))\n        total", "[{{.window}}])\n        total", "unsayable-query", "8:22"),
    ],
)
def test_what_cannot_be_said_has_its_place(old: str, new: str, code: str, place: str, tmp_path: Path) -> None:
    found = imported("sloth", changed(SLOTH, (old, new)), tmp_path)
    assert not found.whole
    assert found.names == ()
    assert [line.partition(" ")[0] for line in said(found, code)] == [place], found.problems


def test_one_that_cannot_be_said_leaves_the_others(tmp_path: Path) -> None:
    second = SLOTH.partition("slos:\n")[2].replace("name: errors", "name: other").replace("99.9", "high")
    found = imported("sloth", SLOTH + second, tmp_path)
    assert not found.whole
    assert found.names == ("api-errors",)
    contracts(found)


def test_names_differ(tmp_path: Path) -> None:
    again = SLOTH.partition("slos:\n")[2]
    found = imported("sloth", SLOTH + again + again.replace("errors", "Errors"), tmp_path)
    assert found.names == ("api-errors", "api-errors-2", "api-errors-3")
    long = imported("sloth", (SLOTH + again).replace("api", "a" * 80), tmp_path)
    assert [len(name) for name in long.names] == [63, 63]
    contracts(long)


def test_a_name_that_is_valid_stays(tmp_path: Path) -> None:
    assert one("sloth", changed(SLOTH, ("name: errors", "name: a--b")), tmp_path).name == "api-a--b"


def test_the_kubernetes_form(tmp_path: Path) -> None:
    text = (EXAMPLES / "sloth-kubernetes.yml").read_text()
    found = imported("sloth", text, tmp_path)
    assert found.names == ("sentiment-availability",)
    assert [line.partition(" ")[0] for line in said(found, "sli-plugin")] == ["23:11"]


def test_a_list_of_kubernetes(tmp_path: Path) -> None:
    item = (EXAMPLES / "sloth-kubernetes.yml").read_text().partition("    - name: plugged")[0].split("\n", 1)[1]
    lines = "".join(f"    {line}\n" for line in item.splitlines())
    text = f"apiVersion: v1\nkind: List\nitems:\n  -\n{lines}"
    assert imported("sloth", text, tmp_path).names == ("sentiment-availability",)
