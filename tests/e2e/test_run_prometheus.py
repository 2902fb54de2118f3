"""keeptime run → real Prometheus with the usual rule, unchanged; and → real Alertmanager by its own receiver."""

import json
from pathlib import Path

import pytest

from tests.e2e.keeping import keeping, terms
from tests.e2e.peers import model
from tests.servers import DIRECT, Running, alertmanager, get_json, prometheus, query, wait_until

SHARE = (
    'sum by (job) (rate(model_request_latency_seconds_bucket{le="0.5"}[5s]))'
    " / sum by (job) (rate(model_request_latency_seconds_count[5s]))"
)
RULES = f"""
groups:
  - name: usual
    rules:
      - alert: ModelSlow
        expr: {SHARE} < 0.99
        for: 2s
"""


def share(server: Running) -> float | None:
    return query(server, SHARE).get((("job", "model"),))


def names(server: Running) -> set[str]:
    """Names of the alerts that fire in this Alertmanager."""
    with DIRECT.open(f"{server.url}/api/v2/alerts?active=true", timeout=10) as response:
        return {alert["labels"]["alertname"] for alert in json.load(response)}


@pytest.mark.soak  # test_whole_way has it with exported rules
def test_both_ways_tell_of_a_slow_model_and_of_its_end(tmp_path: Path) -> None:
    with model() as served, alertmanager(tmp_path / "alertmanager") as told:
        text = terms(served.url) + f"operators:\n  tell: ['alertmanager:{told.url}']\n"
        with keeping(tmp_path / "k", text) as one:
            one.start()
            target = one.url.removeprefix("http://")
            address = told.url.removeprefix("http://")
            with prometheus(tmp_path / "prometheus", [target], RULES, address) as server:
                wait_until(lambda: share(server) == 1.0, 20, "every request under 500 ms")
                assert names(told) == set()
                served.delay = 0.7
                wait_until(lambda: names(told) >= {"ModelSlow", "KeeptimeObjectiveBroken"}, 40, "both alerts")
                up = get_json(f"{server.url}/api/v1/targets")["data"]["activeTargets"][0]  # type: ignore[index,call-overload]
                assert (up["health"], up["lastError"]) == ("up", "")
                served.delay = 0.0
                wait_until(lambda: share(server) == 1.0, 20, "the model is fast again")
                wait_until(lambda: names(told) == set(), 100, "both alerts end")
            assert one.end() == 0
