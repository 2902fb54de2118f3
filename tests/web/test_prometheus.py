"""Real Prometheus and Alertmanager on a fake daemon: the usual rule, unchanged, is right when the model is down."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from keeptime.model.sample import Failure
from keeptime.model.token import Scope
from keeptime.testing.showable import FakeShowable, contract, sample, view
from keeptime.web.tls import Certificate
from tests.docs.pages import ROOT, blocks
from tests.servers import DIRECT, Running, alertmanager, get_json, prometheus, query, wait_until
from tests.web.conftest import Serve
from tests.web.test_tls import issued, tls
from tests.web.test_tokens import guarded

USUAL = (
    'sum by (job) (rate(model_request_latency_seconds_bucket{le="0.5"}[5s]))'
    " / sum by (job) (rate(model_request_latency_seconds_count[5s]))"
)
RULES = f"""
groups:
  - name: usual
    rules:
      - record: job:model_request_latency:share_under_500ms
        expr: {USUAL}
      - alert: ModelSlow
        expr: job:model_request_latency:share_under_500ms < 0.99
        for: 2s
"""


@contextmanager
def traffic(daemon: FakeShowable) -> Iterator[dict[str, bool]]:
    """Twenty requests a second, each of 20 ms, or refused in 1 ms while `down`."""
    how, ended = {"down": False}, threading.Event()
    counters = daemon.contracts[0].counters

    def send() -> None:
        while not ended.wait(0.05):
            counters.add(sample(seconds=0.001, failure=Failure.REFUSED) if how["down"] else sample(seconds=0.02))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield how
    finally:
        ended.set()
        thread.join()


def share(server: Running) -> float | None:
    return query(server, USUAL).get((("job", "model"),))


def alert_state(server: Running) -> str:
    alerts = get_json(f"{server.url}/api/v1/alerts")["data"]["alerts"]  # type: ignore[index,call-overload]
    return str(alerts[0]["state"]) if alerts else "inactive"


def received(server: Running) -> list[str]:
    """Names of the alerts that Alertmanager has and that are not resolved."""
    with DIRECT.open(f"{server.url}/api/v2/alerts?active=true", timeout=10) as response:
        return [alert["labels"]["alertname"] for alert in json.load(response)]


def test_a_dead_model_is_not_fast_and_alertmanager_hears_of_it(serve: Serve, tmp_path: Path) -> None:
    daemon = FakeShowable([view(contract())])
    target = serve(daemon).url.removeprefix("http://")
    with traffic(daemon) as how, alertmanager(tmp_path / "alertmanager") as told:
        alerting = told.url.removeprefix("http://")
        with prometheus(tmp_path / "prometheus", [target], RULES, alerting) as server:
            wait_until(lambda: share(server) == 1.0, 15, "every request under 500 ms")
            assert alert_state(server) == "inactive"
            how["down"] = True
            wait_until(lambda: share(server) == 0.0, 15, "no request under 500 ms, though each took 1 ms")
            wait_until(lambda: alert_state(server) == "firing", 15, "the usual alert fires")
            wait_until(lambda: received(told) == ["ModelSlow"], 15, "Alertmanager has the alert")
            failed = query(server, 'sum by (result) (rate(model_requests_total{result!="ok"}[5s])) > 0')
            assert list(failed) == [(("result", "refused"),)]
            assert failed[(("result", "refused"),)] == pytest.approx(20, rel=0.3)


def documented(token: Path, trust: Path) -> dict[str, object]:
    """The scrape configuration that the page of tokens has, with this test's files."""
    (block,) = (each for each in blocks("yaml") if each.page == ROOT / "docs/tokens.md")
    text = block.text.replace("/etc/prometheus/keeptime.token", str(token))
    (job,) = yaml.safe_load(text.replace("/etc/prometheus/keeptime-ca.pem", str(trust)))["scrape_configs"]
    del job["static_configs"], job["job_name"]
    return dict(job)


def test_prometheus_scrapes_by_tls_with_a_token_and_not_without(tmp_path: Path) -> None:
    chain, key, trust = issued(tmp_path, "tls")
    file, door = guarded(tmp_path)
    written = tmp_path / "prometheus.token"
    written.write_text(file.add("prometheus", [Scope.READ], 0, None) + "\n")
    with tls(Certificate(chain, key), door) as port:
        job = documented(written, trust)
        with prometheus(tmp_path / "prometheus", [f"localhost:{port}"], **job) as server:
            wait_until(lambda: list(query(server, "up").values()) == [1.0], 20, "a scrape that succeeds")
            assert query(server, "keeptime_build_info")
            file.revoke("prometheus")
            wait_until(lambda: list(query(server, "up").values()) == [0.0], 20, "a scrape that is refused")
            (target,) = get_json(f"{server.url}/api/v1/targets")["data"]["activeTargets"]  # type: ignore[index,call-overload]
            assert "401" in target["lastError"]
