"""OpenSLO's documents as contracts."""

from fractions import Fraction
from pathlib import Path

import pytest

from keeptime.contract.importing.found import Settings
from keeptime.contract.importing.reading import import_files
from keeptime.contract.sources import ClassicHistogram, CounterPair, ProbeGauges
from keeptime.contract.terms import Calendar, Rolling

from .given import EXAMPLES, OPENSLO, changed, contracts, imported, one, said

RATIO = OPENSLO.partition("      ratioMetric:")[2].partition("  timeWindow")[0]
WINDOW = "{duration: 28d, isRolling: true}"


def _metric(text: str, objective: str = "{target: 0.999}") -> str:
    return changed(OPENSLO, (f"      ratioMetric:{RATIO}", f"      {text}\n"), ("{target: 0.999}", objective))


def _calendar(duration: str, start: str = "2024-01-01 00:00:00") -> str:
    calendar = f"{{startTime: '{start}', timeZone: Europe/Berlin}}"
    return changed(OPENSLO, (WINDOW, f"{{duration: {duration}, isRolling: false, calendar: {calendar}}}"))


def test_references_and_thresholds(tmp_path: Path) -> None:
    found = imported("openslo", (EXAMPLES / "openslo.yml").read_text(), tmp_path)
    latency, probed = contracts(found)
    assert latency.source is not None
    assert latency.source.url == "http://prometheus.example.com:9090"
    assert latency.source.counts == ClassicHistogram("http_request_duration_seconds", 'job="sentiment"')
    assert (latency.model, latency.objectives[0].name) == ("sentiment", "usual")
    assert probed.source is not None
    assert isinstance(probed.source.counts, ProbeGauges)
    assert probed.objectives[0].under == 0.5
    assert probed.objectives[0].over == Calendar("month", "Europe/Berlin")
    assert [each.code for each in found.problems] == ["failures-are-bad"]


def test_references_lead_across_files(tmp_path: Path) -> None:
    whole = (EXAMPLES / "openslo.yml").read_text().split("---\n")
    for number, text in enumerate(reversed(whole)):
        (tmp_path / f"{number}.yaml").write_text(text)
    found = import_files("openslo", [str(tmp_path)], Settings(), "contracts.yaml")
    assert sorted(found.names) == ["sentiment-latency", "sentiment-probed"]


def test_v1alpha_with_several_objectives(tmp_path: Path) -> None:
    found = imported("openslo", (EXAMPLES / "openslo-v1alpha.yml").read_text(), tmp_path)
    assert found.problems == ()
    usual, best = contracts(found)
    assert (usual.name, best.name) == ("sentiment-errors-usual", "sentiment-errors-best-effort")
    assert [each.objectives[0].target for each in (usual, best)] == [Fraction(999, 1000), Fraction(95, 100)]
    assert usual.objectives[0].over == Rolling(30 * 86_400)


def test_bad_and_total(tmp_path: Path) -> None:
    contract = one("openslo", OPENSLO, tmp_path)
    assert contract.source is not None
    assert contract.source.counts == CounterPair(
        bad=('http_requests_total{code="500"}',), total=("http_requests_total",)
    )


@pytest.mark.parametrize("kind", ["success", "failure"])
def test_raw_ratios(kind: str, tmp_path: Path) -> None:
    query = "sum(rate(a[5m])) / sum(rate(b[5m]))"
    text = (
        f"ratioMetric: {{rawType: {kind}, raw: {{metricSource: {{type: prometheus, spec: {{query: '{query}'}}}}}}}}"
    )
    contract = one("openslo", _metric(text), tmp_path)
    assert contract.source is not None
    given = {"good": ("a",)} if kind == "success" else {"bad": ("a",)}
    assert contract.source.counts == CounterPair(**given, total=("b",))


@pytest.mark.parametrize(
    ("duration", "unit"), [("1d", "day"), ("1w", "week"), ("7d", "week"), ("1M", "month"), ("1Q", "quarter")]
)
def test_calendar_windows(duration: str, unit: str, tmp_path: Path) -> None:
    (objective,) = one("openslo", _calendar(duration), tmp_path).objectives
    assert objective.over == Calendar(unit, "Europe/Berlin")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("duration", "start"),
    [
        ("1Y", "2024-01-01 00:00:00"),
        ("2w", "2024-01-01 00:00:00"),
        ("1w", "2024-01-02 00:00:00"),
        ("1M", "2024-01-15 00:00:00"),
        ("1Q", "2024-02-01 00:00:00"),
        ("1d", "2024-01-01 06:00:00"),
        ("1d", "yesterday"),
    ],
)
def test_calendar_windows_that_no_contract_has(duration: str, start: str, tmp_path: Path) -> None:
    assert len(said(imported("openslo", _calendar(duration, start), tmp_path), "bad-window")) == 1


def test_an_unknown_time_zone_is_found_by_the_contract(tmp_path: Path) -> None:
    found = imported("openslo", _calendar("1d").replace("Europe/Berlin", "Mars/Olympus"), tmp_path)
    assert "Mars/Olympus" in said(found, "no-contract")[0]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("openslo/v1", "openslo/v3", "wrong-format"),
        ("kind: SLO", "kind: Slo", "wrong-format"),
        ("Occurrences", "Timeslices", "budgeting-method"),
        ("target: 0.999", "target: 1", "bad-target"),
        ("target: 0.999", "target: 0.999, targetPercent: 99.9", "bad-target"),
        ("target: 0.999", "displayName: x", "bad-target"),
        ("target: 0.999", "target: 0.999, indicatorRef: x", "composite"),
        ("[{target: 0.999}]", "[]", "missing-key"),
        ("28d", "28x", "bad-window"),
        ("28d", "1M", "bad-window"),
        (WINDOW, "{duration: 28d, isRolling: false}", "bad-window"),
        (f"[{WINDOW}]", f"[{WINDOW}, {WINDOW}]", "bad-window"),
        (f"  timeWindow: [{WINDOW}]\n", "", "missing-key"),
        ("type: Prometheus, spec: {query: sum(", "type: Datadog, spec: {query: sum(", "not-prometheus"),
        ("counter: true", "counter: false", "not-a-counter"),
        ("        bad:", "        good: {}\n        bad:", "one-indicator"),
        ("  indicator:", "  indicatorRef: gone\n  other:", "no-such-name"),
        ("  indicator:", "  indicatorRef: gone\n  indicator:", "one-indicator"),
        ("  indicator:", "  other:", "one-indicator"),
        ("metadata: {name: errors}\nspec", "metadata: {}\nspec", "missing-key"),
    ],
)
def test_what_cannot_be_said_is_named(old: str, new: str, code: str, tmp_path: Path) -> None:
    found = imported("openslo", changed(OPENSLO, (old, new)), tmp_path)
    assert found.names == ()
    assert [each.code for each in found.problems if each.severity == "error"] == [code], found.problems


@pytest.mark.parametrize(
    ("title", "name"), [("Usual Case", "usual-case"), ("Задержка", "errors"), ("p99.9", "p99.9")]
)
def test_an_objective_is_named_by_its_title(title: str, name: str, tmp_path: Path) -> None:
    text = changed(OPENSLO, ("target: 0.999", f"target: 0.999, displayName: {title}"))
    assert one("openslo", text, tmp_path).objectives[0].name == name


def test_a_window_can_be_said_beside_the_file(tmp_path: Path) -> None:
    text = changed(OPENSLO, (f"  timeWindow: [{WINDOW}]\n", ""))
    assert one("openslo", text, tmp_path, window="calendar month").objectives[0].over == Calendar("month")


@pytest.mark.parametrize(
    ("query", "op", "value", "under"),
    [
        ("probe_success", "gte", "1", None),
        ("up", "gt", "0.5", None),
        ("mysql_up", "gte", "1", None),
        ("probe_duration_seconds", "lte", "0.25", 0.25),
    ],
)
def test_thresholds_on_gauges(query: str, op: str, value: str, under: float | None, tmp_path: Path) -> None:
    text = f"thresholdMetric: {{metricSource: {{type: Prometheus, spec: {{query: {query}}}}}}}"
    contract = one("openslo", _metric(text, f"{{target: 0.99, op: {op}, value: {value}}}"), tmp_path)
    assert contract.objectives[0].under == under
    assert contract.source is not None
    assert isinstance(contract.source.counts, ProbeGauges)


@pytest.mark.parametrize(
    ("query", "op", "value", "code"),
    [
        ("queue_length", "lte", "5", "unsayable-threshold"),
        ("backup", "gte", "1", "unsayable-threshold"),
        ("probe_duration_seconds", "lte", "1e999999999", "unsayable-threshold"),
        ("probe_duration_seconds", "gte", "5", "unsayable-threshold"),
        ("probe_duration_seconds", "lt", "0.5", "unsayable-threshold"),
        ("probe_duration_seconds", "lte", "soon", "unsayable-threshold"),
        ("histogram_quantile(0.99, sum(rate(m_bucket[5m])) by (le))", "lte", "0.5", "unsayable-query"),
    ],
)
def test_thresholds_that_no_contract_can_say(query: str, op: str, value: str, code: str, tmp_path: Path) -> None:
    text = f"thresholdMetric: {{metricSource: {{type: Prometheus, spec: {{query: '{query}'}}}}}}"
    found = imported("openslo", _metric(text, f"{{target: 0.99, op: {op}, value: {value}}}"), tmp_path)
    assert len(said(found, code)) == 1, found.problems
    assert found.names == ()


def test_alerts_and_unused_documents_are_named(tmp_path: Path) -> None:
    more = "".join(
        f"---\napiVersion: openslo/v1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{}}\n"
        for kind in ("AlertPolicy", "AlertCondition", "AlertNotificationTarget", "SLI", "DataSource", "Service")
    )
    text = changed(OPENSLO, ("  budgetingMethod", "  alertPolicies: [x]\n  budgetingMethod")) + more
    found = imported("openslo", text, tmp_path)
    assert found.names == ("errors",)
    assert len(said(found, "left-out")) == 7


def test_a_name_stands_for_one_document(tmp_path: Path) -> None:
    text = OPENSLO + 2 * "---\napiVersion: openslo/v1\nkind: Service\nmetadata: {name: api}\nspec: {}\n"
    assert len(said(imported("openslo", text, tmp_path), "duplicate-name")) == 1


def test_what_belongs_to_thresholds_is_named_on_a_ratio(tmp_path: Path) -> None:
    found = imported("openslo", changed(OPENSLO, ("target: 0.999", "target: 0.999, op: lte, value: 1")), tmp_path)
    assert found.names == ("errors",)
    assert len(said(found, "left-out")) == 2
