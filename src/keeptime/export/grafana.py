"""A Grafana dashboard per contract: how its objectives stand, and what the requests did.

Guarantees: a dashboard reads the exported rules' series, and keeptime's own or those that the contract names for
latency; every query is PromQL; the same contract gives the same bytes. Source of the form: Grafana's dashboard JSON
model, schema version 39. Pure.
"""

import hashlib
import json
from collections.abc import Sequence

from keeptime.contract.promql import select
from keeptime.contract.sources import ClassicHistogram
from keeptime.contract.terms import Contract, PolicyKind
from keeptime.export.prometheus.names import (
    BUCKET_LEVEL,
    BUCKET_LIMIT,
    BUDGET_LEFT,
    BURN,
    QUIET,
    SLI,
    STANDING,
    TARGET,
)
from keeptime.export.settings import Files, Settings

Json = dict[str, object]
SCHEMA_VERSION = 39
WIDE = 24
"""Columns of Grafana's grid."""
SOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
STANDINGS = (
    ("0", "ok", "green"),
    ("1", "no data", "blue"),
    ("2", "at risk (ticket)", "yellow"),
    ("3", "at risk (page)", "orange"),
    ("4", "broken", "red"),
)
PROVISIONING = """\
# For Grafana's provisioning/dashboards folder; `path` is where these files lie.
apiVersion: 1
providers:
- name: keeptime
  type: file
  options:
    path: /var/lib/grafana/dashboards/keeptime
"""


def files(contracts: Sequence[Contract], settings: Settings) -> Files:
    """A dashboard per contract, and what Grafana's provisioning needs to find them."""
    del settings  # nothing of it matters here
    found = {f"{contract.name}.json": json.dumps(_dashboard(contract), indent=2) + "\n" for contract in contracts}
    return {**found, "provisioning.yaml": PROVISIONING}


def _dashboard(contract: Contract) -> Json:
    panels = [panel | {"id": place + 1, "gridPos": _place(place)} for place, panel in enumerate(_panels(contract))]
    return {
        "uid": hashlib.sha256(f"keeptime/{contract.name}".encode()).hexdigest()[:16],
        "title": f"keeptime: {contract.name}",
        "description": f"The latency SLA of {contract.model} by {contract.provider}, as keeptime judges it.",
        "tags": ["keeptime", "sla"],
        "schemaVersion": SCHEMA_VERSION,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "editable": True,
        "links": [{"title": name, "url": url, "type": "link"} for name, url in contract.links.items()],
        "templating": {"list": [_data_source(), _objective(contract)]},
        "panels": panels,
    }


def _place(place: int) -> Json:
    """Two panels side by side."""
    return {"x": place % 2 * (WIDE // 2), "y": place // 2 * 8, "w": WIDE // 2, "h": 8}


def _data_source() -> Json:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"}


def _objective(contract: Contract) -> Json:
    names = [objective.name for objective in contract.objectives]
    return {
        "name": "objective",
        "type": "custom",
        "query": ",".join(names),
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panels(contract: Contract) -> list[Json]:
    of = f'{{contract="{contract.name}",objective=~"$objective"}}'
    latency, requests = _latency(contract)
    panels = [
        _condition(of),
        _lines(
            "SLI against target",
            "percentunit",
            (f"{SLI}{of}", "{{objective}}"),
            (f"{TARGET}{of}", "{{objective}} target"),
        ),
        _lines("Error budget left", "percentunit", (f"{BUDGET_LEFT}{of}", "{{objective}}")),
        _lines("Burn rate by window", "none", (f"{BURN}{of}", "{{objective}} {{window}}")),
    ]
    if any(objective.policy.kind is PolicyKind.BUCKETS for objective in contract.objectives):
        fill = f"{BUCKET_LEVEL}{of} / {BUCKET_LIMIT}{of}"
        panels.append(_lines("How full the buckets are", "percentunit", (fill, "{{objective}} {{tier}}")))
    if latency:
        panels.append(_heatmap(latency))
    if requests:
        panels.append(_lines("Requests per second", "reqps", requests))
    if contract.probes:
        panels.append(_lines("Where a probe's time goes", "s", (_phases(contract), "{{phase}}"), stacked=True))
    panels.append(_lines("Time since the last request", "s", (f"{QUIET}{of}", "{{objective}}")))
    return panels


def _latency(contract: Contract) -> tuple[str, tuple[str, str] | None]:
    """The histogram's buckets, "" without one, and the requests per second with their legend."""
    if contract.source is None:
        of = f'{{contract="{contract.name}"}}'
        rate = f"sum by (result) (rate(model_requests_total{of}[5m]))"
        return f"model_request_latency_seconds_bucket{of}", (rate, "{{result}}")
    counts = contract.source.counts
    if not isinstance(counts, ClassicHistogram):
        return "", None
    count = select(f"{counts.metric}_count", counts.selector)
    return select(f"{counts.metric}_bucket", counts.selector), (f"sum(rate({count}[5m]))", "requests")


def _phases(contract: Contract) -> str:
    """Seconds per request in each phase."""
    of = f'{{contract="{contract.name}"}}'
    spent = f"sum by (phase) (rate(model_request_phase_seconds_total{of}[5m]))"
    return f"{spent} / on () group_left () sum(rate(model_requests_total{of}[5m]))"


def _condition(of: str) -> Json:
    mapping = {value: {"text": text, "color": color} for value, text, color in STANDINGS}
    return {
        "title": "Condition",
        "type": "state-timeline",
        "datasource": SOURCE,
        "targets": [_target(f"{STANDING}{of}", "{{objective}}")],
        "fieldConfig": {
            "defaults": {"mappings": [{"type": "value", "options": mapping}], "color": {"mode": "thresholds"}},
            "overrides": [],
        },
        "options": {"showValue": "auto", "mergeValues": True},
    }


def _lines(title: str, unit: str, *queries: tuple[str, str], stacked: bool = False) -> Json:
    style = {"stacking": {"mode": "normal"}, "fillOpacity": 30} if stacked else {}
    return {
        "title": title,
        "type": "timeseries",
        "datasource": SOURCE,
        "targets": [_target(expr, legend, chr(ord("A") + place)) for place, (expr, legend) in enumerate(queries)],
        "fieldConfig": {"defaults": {"unit": unit, "custom": style}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
    }


def _heatmap(buckets: str) -> Json:
    target = _target(f"sum by (le) (increase({buckets}[$__rate_interval]))", "{{le}}") | {"format": "heatmap"}
    return {
        "title": "Latency",
        "type": "heatmap",
        "datasource": SOURCE,
        "targets": [target],
        "options": {"calculate": False, "yAxis": {"unit": "s"}, "cellGap": 1},
    }


def _target(expr: str, legend: str, ref: str = "A") -> Json:
    return {"refId": ref, "datasource": SOURCE, "expr": expr, "legendFormat": legend}
