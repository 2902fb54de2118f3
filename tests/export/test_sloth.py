"""Sloth specs: only documented fields, the contract's own counting, and back again."""

import shutil
import subprocess
from pathlib import Path

import promql_parser
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from keeptime.contract.importing.found import Settings
from keeptime.contract.importing.reading import Imported, import_files
from keeptime.contract.load import load_text
from keeptime.contract.sources import CounterPair, ProbeGauges
from keeptime.contract.terms import Calendar, Contract
from keeptime.errors import UsageError
from keeptime.export.settings import Settings as Setup
from keeptime.export.sloth import WINDOW, files

from .openslo_v1 import closed
from .promises import FILE, KINDS, contracts, loaded, observed

TEXTS = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "propertyNames": {"pattern": "^[a-zA-Z_]\\w*$"},
}
QUERY = {"type": "string", "pattern": r"\{\{\.window\}\}"}
ALERT = closed({"disable": {"type": "boolean"}, "labels": TEXTS, "annotations": TEXTS})
SLO = closed(
    {
        "name": {"type": "string", "pattern": "^[A-Za-z0-9][-A-Za-z0-9_.]*[A-Za-z0-9]$"},
        "description": {"type": "string"},
        "objective": {"type": "number", "exclusiveMinimum": 0, "maximum": 100},
        "labels": TEXTS,
        "sli": closed(
            {"events": closed({"error_query": QUERY, "total_query": QUERY}, "error_query", "total_query")}
        ),
        "alerting": closed(
            {
                "name": {"type": "string", "minLength": 1},
                "labels": TEXTS,
                "annotations": TEXTS,
                "page_alert": ALERT,
                "ticket_alert": ALERT,
            },
            "name",
        ),
    },
    "name",
    "objective",
    "sli",
    "alerting",
)
SPEC = closed(
    {
        "version": {"const": "prometheus/v1"},
        "service": {"type": "string", "minLength": 1},
        "labels": TEXTS,
        "slos": {"type": "array", "items": SLO, "minItems": 1},
    },
    "version",
    "service",
    "slos",
)
"""The documented fields of `prometheus/v1`; written for these tests."""

BACK = [kind for kind in KINDS if kind not in ("gauges", "expression")]
"""Ways to observe whose queries are sums of rates."""


def _specs(contract: Contract) -> list[dict]:
    return [yaml.safe_load(text) for text in files([contract]).values()]


def _events(contract: Contract, number: int = 0) -> dict[str, str]:
    (spec,) = _specs(contract)
    events: dict[str, str] = spec["slos"][number]["sli"]["events"]
    return events


def _again(contract: Contract, folder: Path) -> Imported:
    for name, text in files([contract]).items():
        (folder / name).write_text(text, "utf-8")
    return import_files("sloth", [str(folder)], Settings(), FILE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_spec_has_documented_fields_and_valid_queries(kind: str) -> None:
    (spec,) = _specs(observed(kind))
    Draft202012Validator(SPEC).validate(spec)
    for slo in spec["slos"]:
        for query in slo["sli"]["events"].values():
            promql_parser.parse(query.replace(WINDOW, "5m"))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(contracts())
def test_every_contract_gives_valid_specs_or_one_clear_refusal(contract: Contract) -> None:
    if any(isinstance(one.over, Calendar) for one in contract.objectives):
        with pytest.raises(UsageError, match=f"{contract.name}/.*: Sloth has no calendar"):
            files([contract])
        return
    specs = _specs(contract)
    assert sum(len(spec["slos"]) for spec in specs) == len(contract.objectives)
    for spec in specs:
        spec["slos"] = [slo | {"name": slo["name"] * 2} for slo in spec["slos"]]  # Sloth wants two characters
        Draft202012Validator(SPEC).validate(spec)
        for slo in spec["slos"]:
            for query in slo["sli"]["events"].values():
                promql_parser.parse(query.replace(WINDOW, "5m"))


@pytest.mark.parametrize("kind", BACK)
def test_it_can_be_imported_again(kind: str, tmp_path: Path) -> None:
    contract = observed(kind)
    found = _again(contract, tmp_path)
    assert found.whole, found.problems
    back = load_text(found.text.encode(), FILE).contracts
    assert [each.objectives[0].name for each in back] == [one.name for one in contract.objectives]
    for one, each in zip(contract.objectives, back, strict=True):
        (objective,) = each.objectives
        assert (objective.target, objective.over) == (one.target, one.over)
        assert each.source is not None
        if contract.source is not None and not isinstance(each.source.counts, CounterPair):
            assert (objective.under, objective.errors) == (one.under, one.errors)
            assert each.source.counts.selector == getattr(contract.source.counts, "selector", "")
            assert not isinstance(each.source.counts, ProbeGauges)
            assert each.source.counts.failed == getattr(contract.source.counts, "failed", "")


@pytest.mark.parametrize("kind", ["gauges", "expression"])
def test_what_is_no_sum_of_rates_is_refused_on_the_way_back(kind: str, tmp_path: Path) -> None:
    found = _again(observed(kind), tmp_path)
    assert {each.code for each in found.problems if each.severity == "error"} == {"unsayable-query"}


def test_the_kubernetes_form(tmp_path: Path) -> None:
    contract = observed("classic")
    ((name, text),) = files([contract], Setup(2026, kubernetes=True)).items()
    spec = yaml.safe_load(text)
    assert (spec["apiVersion"], spec["kind"]) == ("sloth.slok.dev/v1", "PrometheusServiceLevel")
    assert spec["metadata"] == {"name": "classic"}
    assert set(spec["spec"]["slos"][0]["sli"]["events"]) == {"errorQuery", "totalQuery"}
    (tmp_path / name).write_text(text)
    found = import_files("sloth", [str(tmp_path)], Settings(), FILE)
    assert found.names == tuple(_again(contract, tmp_path).names)


def test_files_by_window() -> None:
    text = "contract: c\nendpoint: {url: http://h/}\nobserve: [{probe: 10s}]\nobjectives:\n"
    text += "  - 99% of requests under 1s over 28d\n  - 90% of requests under 500ms over 7d\n"
    out = files([loaded(text)])
    assert sorted(out) == ["c-28d.yaml", "c-7d.yaml"]
    assert "--default-slo-period=7d" in out["c-7d.yaml"]
    assert "catalogue of alert windows" in out["c-7d.yaml"]
    assert "catalogue" not in out["c-28d.yaml"]


def test_what_sloth_cannot_say_is_in_comments_and_annotations() -> None:
    text = "contract: c\nendpoint: {url: http://h/}\nobserve: [{probe: 10s}]\npolicy: sustained\n"
    text += "objectives: [99% of requests under 1s over 28d]\noperators: {tell: ['log:']}\nlinks: {run-book: https://x/}\n"
    ((name, spec),) = files([loaded(text)]).items()
    assert name == "c.yaml"
    assert "# p99-1s: its policy is sustained; Sloth's own alerts are used instead." in spec
    assert "# Who is told is Alertmanager's to say: keeptime export alertmanager." in spec
    alerting = yaml.safe_load(spec)["slos"][0]["alerting"]
    assert alerting["annotations"] == {
        "keeptime_window": "28d",
        "keeptime_threshold": "1s",
        "run_book": "https://x/",
    }
    assert alerting["labels"] == {"contract": "c", "objective": "p99-1s", "provider": "unnamed"}


def test_a_calendar_window_is_refused() -> None:
    text = "contract: c\nendpoint: {url: http://h/}\nobserve: [{probe: 10s}]\n"
    text += "objectives: [99% of requests under 1s over calendar month]\n"
    with pytest.raises(UsageError, match="c/p99-1s: Sloth has no calendar month; expected a rolling window"):
        files([loaded(text)])


SERIES = {
    'http_seconds_count{job="a",code="200"}': 60,
    'http_seconds_bucket{job="a",code="200",le="0.5"}': 45,
    'http_seconds_bucket{job="a",code="200",le="0.25"}': 15,
}
FAILING = {
    'http_seconds_count{job="a",code="500"}': 60,
    'http_seconds_bucket{job="a",code="500",le="0.5"}': 60,
    'http_seconds_bucket{job="a",code="500",le="0.25"}': 60,
}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")
@pytest.mark.parametrize(
    ("series", "number", "bad", "total"),
    [
        (SERIES, 0, 15, 60),
        (SERIES, 1, 45, 60),
        (SERIES, 2, 0, 60),
        (SERIES | FAILING, 0, 75, 120),
        (SERIES | FAILING, 1, 45, 60),
        (SERIES | FAILING, 2, 60, 120),
    ],
)
def test_prometheus_counts_the_same(
    series: dict[str, int], number: int, bad: int, total: int, tmp_path: Path
) -> None:
    """Requests in 1 min: each objective's bad and all, also where no request has ever failed."""
    events = {key: query.replace(WINDOW, "5m") for key, query in _events(observed("classic"), number).items()}
    test = {
        "rule_files": [],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": f"0+{pace}x30"} for name, pace in series.items()],
                "promql_expr_test": [
                    {
                        "expr": f"round(60 * ({events[key]}))",
                        "eval_time": "20m",
                        "exp_samples": [{"labels": "{}", "value": value}],
                    }
                    for key, value in (("error_query", bad), ("total_query", total))
                ],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))
    done = subprocess.run(["promtool", "test", "rules", tmp_path / "test.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
