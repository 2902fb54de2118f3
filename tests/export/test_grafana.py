"""Dashboards: their form, and that every query in them is PromQL on series that are there."""

import json
import re
from collections.abc import Iterator

import promql_parser
import pytest

from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.export.grafana import files
from keeptime.export.settings import Settings
from tests.docs.pages import ROOT, text_of

PROBED = """\
contract: sentiment
endpoint: {url: "http://127.0.0.1:5000/predict"}
observe: [{probe: 10s}]
objectives: [99% of requests under 500ms over 28d, 99.9% of requests succeed over 28d]
links: {runbook: "https://wiki.example.com/runbook"}
"""
COUNTED = """\
contract: sentiment
observe: [{prometheus: {histogram: {metric: request_seconds, selector: 'job="api"'}}}]
objectives: [99% of requests under 500ms over 28d]
"""
GAUGES = COUNTED.replace("histogram: {metric: request_seconds, selector: 'job=\"api\"'}", "gauges: {}")


def contract(text: str) -> Contract:
    return load_text(text.encode(), "contract.yaml").contracts[0]


def dashboard(text: str) -> dict[str, object]:
    return dict(json.loads(files([contract(text)], Settings(2026))["sentiment.json"]))


def panels(text: str) -> list[dict[str, object]]:
    return list(dashboard(text)["panels"])  # type: ignore[call-overload]


def queries(text: str) -> Iterator[str]:
    for panel in panels(text):
        for target in panel["targets"]:  # type: ignore[attr-defined]
            yield target["expr"].replace("$objective", ".*").replace("$__rate_interval", "1m")


@pytest.mark.parametrize("text", [PROBED, COUNTED, GAUGES])
def test_every_query_is_promql_on_series_that_are_documented(text: str) -> None:
    known = text_of(ROOT / "docs/prometheus.md") + text_of(ROOT / "docs/metrics.md") + "request_seconds"
    for query in queries(text):
        promql_parser.parse(query)
        for name in re.findall(
            r"(?:keeptime:[a-z_:]+|[a-z_]+_seconds_(?=bucket|count)|model_[a-z_]+_total)", query
        ):
            assert name.removesuffix("_") in known, name


def test_a_probed_contract_shows_everything() -> None:
    assert [panel["title"] for panel in panels(PROBED)] == [
        "Condition",
        "SLI against target",
        "Error budget left",
        "Burn rate by window",
        "How full the buckets are",
        "Latency",
        "Requests per second",
        "Where a probe's time goes",
        "Time since the last request",
    ]


def test_a_counted_one_shows_its_own_histogram_and_gauges_none() -> None:
    assert 'sum by (le) (increase(request_seconds_bucket{job="api"}[1m]))' in list(queries(COUNTED))
    assert "Latency" not in [panel["title"] for panel in panels(GAUGES)]


def test_panels_have_ids_and_do_not_overlap() -> None:
    found = panels(PROBED)
    assert [panel["id"] for panel in found] == list(range(1, len(found) + 1))
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in found]  # type: ignore[index]
    assert len(set(places)) == len(places)


def test_it_is_found_again_after_an_export() -> None:
    assert dashboard(PROBED)["uid"] == dashboard(COUNTED)["uid"], "the name alone decides"
    assert files([contract(PROBED)], Settings(2026)) == files([contract(PROBED)], Settings(2027))


def test_links_and_objectives_are_there() -> None:
    found = dashboard(PROBED)
    assert found["links"] == [{"title": "runbook", "url": "https://wiki.example.com/runbook", "type": "link"}]
    assert found["templating"]["list"][1]["query"] == "p99-500ms,success-99.9"  # type: ignore[index]
