"""The exported files in Prometheus' own hands: checked, and their proofs run, for every kind of series."""

import subprocess
from pathlib import Path

import pytest
import yaml

from keeptime.contract.load import load_text, require
from keeptime.contract.terms import Contract
from keeptime.errors import UsageError
from keeptime.export.prometheus.files import files
from keeptime.export.registry import export_of
from keeptime.export.settings import Files, Naming, Settings, Source
from keeptime.export.writing import write_directory

EXAMPLES = sorted((Path(__file__).parents[2] / "examples/contracts").glob("*.yaml"))
SERIES = {
    "histogram": "histogram: {metric: request_seconds, selector: 'job=\"api\"', failed: 'code=~\"5..\"'}",
    "histogram-without-failures": "histogram: {metric: request_seconds}",
    "milliseconds": "histogram: {metric: request_ms, unit: milliseconds}",
    "counters": "counters: {good: 'requests_total{ok=\"1\"}', total: requests_total}",
    "bad-counters": "counters: {bad: errors_total, total: [a_total, b_total]}",
    "gauges": "gauges: {selector: 'job=\"blackbox\"'}",
}


def contract(series: str, objective: str = "99% of requests under 500ms over 28d", more: str = "") -> Contract:
    text = (
        f"contract: api\nprovider: platform\nmodel: m\nobserve:\n  - prometheus: {{{series}}}\n"
        f"objectives:\n  - {objective}\nconsumers:\n  - {{name: checkout, tell: ['log:']}}\n"
        f"  - {{name: search, tell: ['log:']}}\n{more}"
    )
    found = load_text(text.encode(), "contract.yaml")
    assert found.valid, found.problems
    return found.contracts[0]


def promtool(folder: Path, *words: str) -> str:
    """What it says; fails the test if it is not content."""
    done = subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "FAILED" not in said
    return said


def written(folder: Path, found: Files) -> Path:
    write_directory(folder / "out", found, force=False)
    return folder / "out"


def prove(folder: Path, found: Files) -> None:
    out = written(folder, found)
    promtool(out, "check", "config", "prometheus.yml")
    for rules in (out / "rules").iterdir():
        assert "duplicate" not in promtool(out, "check", "rules", str(rules))
    for tests in (out / "tests").iterdir():
        promtool(out, "test", "rules", str(tests))


def rules_of(found: Files) -> list[dict[str, object]]:
    (text,) = [text for name, text in found.items() if name.startswith("rules/")]
    return list(yaml.safe_load(text)["groups"][0]["rules"])


ALIKE = frozenset({"bentoml", "grpc", "litellm", "nginx-log", "oip", "ray-serve", "tcp", "triton"})
"""Their rules are those of others: objectives on requests that keeptime counts itself."""
PROVED = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.soak] if path.stem in ALIKE else []) for path in EXAMPLES
]


@pytest.mark.parametrize("path", PROVED)
def test_every_example_is_checked_and_proved(path: Path, tmp_path: Path) -> None:
    prove(tmp_path, export_of("prometheus")(require([path]), Settings(2026, interval=30)))


@pytest.mark.parametrize("kind", SERIES)
def test_every_kind_of_series_is_checked_and_proved(kind: str, tmp_path: Path) -> None:
    found = files([contract(SERIES[kind])], Settings(2026))
    assert "Not in here" not in found["tests/api.yml"], "the proofs hold the contract"
    prove(tmp_path, found)


def test_an_objective_on_success_is_proved_on_its_failures(tmp_path: Path) -> None:
    prove(tmp_path, files([contract(SERIES["histogram"], "99.9% of requests succeed over 28d")], Settings(2026)))


def test_a_native_histogram_is_checked_and_said_to_be_without_proof(tmp_path: Path) -> None:
    found = files([contract("native_histogram: {metric: request_seconds}")], Settings(2026))
    out = written(tmp_path, found)
    promtool(out, "check", "config", "prometheus.yml")
    promtool(out, "check", "rules", "rules/api.yml")
    assert "# Not in here: api: promtool's tests cannot hold a native histogram" in found["tests/api.yml"]


def test_a_bucket_that_is_not_there_is_no_data_and_not_bad(tmp_path: Path) -> None:
    out = written(tmp_path, files([contract(SERIES["histogram-without-failures"])], Settings(2026)))
    test = {
        "rule_files": ["rules/api.yml"],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "30s",
                "input_series": [
                    {"series": "request_seconds_count", "values": "0+10x60"},
                    {"series": 'request_seconds_bucket{le="0.25"}', "values": "0+10x60"},
                ],
                "promql_expr_test": [
                    {
                        "expr": "sum(keeptime:objective:standing)",
                        "eval_time": "20m",
                        "exp_samples": [{"labels": "{}", "value": 1}],
                    }
                ],
            }
        ],
    }
    (out / "test.yml").write_text(yaml.safe_dump(test))
    promtool(out, "test", "rules", "test.yml")


def test_either_spelling_of_a_bound_is_read(tmp_path: Path) -> None:
    found = files([contract(SERIES["histogram"], "99% of requests under 1s over 28d")], Settings(2026))
    assert 'le=~"1|1\\\\.0"' in str(rules_of(found)[0]["expr"])


def test_kubernetes_gets_the_same_rules_in_a_resource(tmp_path: Path) -> None:
    of = [contract(SERIES["histogram"])]
    (name, text), *rest = files(of, Settings(2026, kubernetes=True)).items()
    assert (name, rest) == ("api.prometheusrule.yaml", [])
    resource = yaml.safe_load(text)
    assert (resource["apiVersion"], resource["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert resource["spec"]["groups"][0]["rules"] == rules_of(files(of, Settings(2026)))
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(resource["spec"]))
    promtool(tmp_path, "check", "rules", "rules.yml")


def test_sloths_series_have_its_names_labels_and_the_right_values(tmp_path: Path) -> None:
    of = contract(SERIES["counters"])
    out = written(tmp_path, files([of], Settings(2026, naming=Naming.SLOTH)))
    promtool(out, "check", "rules", "rules/api.yml")
    who = 'sloth_id="api-p99-500ms",sloth_service="api",sloth_slo="p99-500ms"'
    expected = {
        f'slo:sli_error:ratio_rate5m{{{who},sloth_window="5m"}}': 0.02,
        f'slo:sli_error:ratio_rate4w{{{who},sloth_window="4w"}}': 0.02,
        f"slo:objective:ratio{{{who}}}": 0.99,
        f"slo:time_period:days{{{who}}}": 28,
        f"slo:current_burn_rate:ratio{{{who}}}": 2,
        f"slo:period_error_budget_remaining:ratio{{{who}}}": -1,
    }
    test = {
        "rule_files": ["rules/api.yml"],
        "evaluation_interval": "30s",
        "fuzzy_compare": True,
        "tests": [
            {
                "interval": "30s",
                "input_series": [
                    {"series": 'requests_total{ok="1"}', "values": "0+98x120"},
                    {"series": 'requests_total{ok="0"}', "values": "0+2x120"},
                ],
                "promql_expr_test": [
                    {
                        "expr": f"round({series.partition('{')[0]}, 0.0001)",
                        "eval_time": "1h",
                        "exp_samples": [{"labels": "{" + series.partition("{")[2], "value": value}],
                    }
                    for series, value in expected.items()
                ],
            }
        ],
    }
    del test["fuzzy_compare"]
    (out / "test.yml").write_text(yaml.safe_dump(test))
    promtool(out, "test", "rules", "test.yml")


BETWEEN = "histogram: {metric: m, buckets: [100ms, 1s]}"


def test_a_threshold_between_two_bounds_is_refused_with_both() -> None:
    with pytest.raises(UsageError, match=r"api/p99-500ms: .*no bucket bound.*100ms and 1s.*--bounds"):
        files([contract(BETWEEN)], Settings(2026))


def test_with_bounds_the_truth_lies_between_two_objectives(tmp_path: Path) -> None:
    found = files([contract(BETWEEN)], Settings(2026, bounds=True))
    objectives = {
        str(rule["labels"]["objective"]) for rule in rules_of(found) if "objective" in rule.get("labels", {})
    }  # type: ignore[attr-defined,index]
    assert objectives == {"p99-500ms.lower", "p99-500ms.upper"}
    prove(tmp_path, found)


@pytest.mark.parametrize(
    ("source", "series"),
    [
        (Source.HISTOGRAM, SERIES["counters"]),
        (Source.BLACKBOX, SERIES["histogram"]),
        (Source.NATIVE_HISTOGRAM, SERIES["histogram"]),
        (Source.COUNTERS, SERIES["gauges"]),
    ],
)
def test_series_that_the_contract_does_not_name_are_refused(source: Source, series: str) -> None:
    with pytest.raises(UsageError, match=f"api names no series for --source {source}; expected `observe"):
        files([contract(series)], Settings(2026, source=source))


def test_keeptimes_own_counters_can_be_chosen() -> None:
    found = files([contract(SERIES["histogram"])], Settings(2026, source=Source.KEEPTIME))
    assert "keeptime_objective_requests_total" in str(rules_of(found)[0]["expr"])
    assert yaml.safe_load(found["prometheus.yml"])["scrape_configs"][0]["job_name"] == "keeptime"


def test_alerts_carry_who_promised_what_to_whom() -> None:
    more = "links: {runbook: 'https://wiki.example.com/runbook', dash-board: 'https://g.example.com/d'}\n"
    alerts = [
        rule for rule in rules_of(files([contract(SERIES["gauges"], more=more)], Settings(2026))) if "alert" in rule
    ]
    names = [(rule["alert"], rule["labels"].get("severity")) for rule in alerts]  # type: ignore[attr-defined]
    assert names == [
        ("KeeptimeObjectiveBroken", "page"),
        ("KeeptimeObjectiveAtRisk", "page"),
        ("KeeptimeObjectiveAtRisk", "ticket"),
        ("KeeptimeObjectiveNoData", None),
    ]
    broken = alerts[0]
    assert broken["labels"] == {
        "contract": "api",
        "objective": "p99-500ms",
        "provider": "platform",
        "model": "m",
        "condition": "broken",
        "severity": "page",
        "consumers": ",checkout,search,",
    }
    annotations: dict[str, str] = broken["annotations"]  # type: ignore[assignment]
    assert annotations["runbook_url"] == "https://wiki.example.com/runbook"
    assert annotations["dash_board_url"] == "https://g.example.com/d"
    assert annotations["promise"] == "99% of requests under 500ms over 28d"
    assert "| query" in annotations["reason"]
    assert all("for" not in rule for rule in alerts)


def test_the_same_contract_gives_the_same_bytes() -> None:
    assert files([contract(SERIES["histogram"])], Settings(2026)) == files(
        [contract(SERIES["histogram"])], Settings(2026)
    )


def test_an_interval_that_does_not_divide_a_minute_is_refused() -> None:
    with pytest.raises(UsageError, match="--interval 7s cannot be used"):
        files([contract(SERIES["gauges"])], Settings(2026, interval=7))


def test_a_series_that_the_first_failure_makes_counts_from_the_start(tmp_path: Path) -> None:
    """Its target was scraped before without it; a series of a target that is new is a baseline."""
    out = written(tmp_path, files([contract(SERIES["bad-counters"])], Settings(2026)))
    of = 'job="api",instance="a:80"'
    test = {
        "rule_files": ["rules/api.yml"],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "30s",
                "input_series": [
                    {"series": f"up{{{of}}}", "values": "1x20"},
                    {"series": f"a_total{{{of}}}", "values": "100+10x20"},
                    {"series": f"errors_total{{{of}}}", "values": "_x10 3 5x9"},
                    {"series": 'errors_total{job="api",instance="b:80"}', "values": "_x10 700x10"},
                ],
                "promql_expr_test": [
                    {
                        "expr": 'sum(keeptime:bad:sum{window="6h"})',
                        "eval_time": "10m",
                        "exp_samples": [{"labels": "{}", "value": 5}],
                    }
                ],
            }
        ],
    }
    (out / "test.yml").write_text(yaml.safe_dump(test))
    promtool(out, "test", "rules", "test.yml")


def test_what_traffic_says_of_tokens_is_proved_from_what_keeptime_has_counted(tmp_path: Path) -> None:
    text = (
        "contract: chat\nobserve: [push: ]\nobjectives:\n  - 99% of first_token under 800ms over 28d\n"
        "operators: {tell: ['log:']}\n"
    )
    found = load_text(text.encode(), "chat.yaml")
    rules = export_of("prometheus")(found.contracts, Settings(2026, interval=30))
    counted = 'keeptime_objective_requests_total{contract="chat",objective="first-token-p99-800ms",result="good"}'
    assert counted in rules["rules/chat.yml"]
    prove(tmp_path, rules)
