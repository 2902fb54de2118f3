"""The example with several workers, really started beside `keeptime run`: what was sent is what is counted."""

import json
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.keeping import Keeptime, keeping
from tests.servers import DIRECT, Running, running, wait_until

FOLDER = Path(__file__).parents[2] / "examples" / "fastapi_model"
SAMPLE = {"measurements": "sample_input"}


def free_port() -> int:
    """keeptime is told of the model before it is there, and the model of keeptime."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def terms(port: int) -> str:
    """Both contracts, read more often than a person would."""
    both = [(FOLDER / name).read_text("utf-8") for name in ("sla.yaml", "otlp.yaml")]
    text = "---\n".join(both).replace(":8000", f":{port}")
    return text.replace("every: 10s", "every: 1s").replace("every: 5s", "every: 1s")


@contextmanager
def served(kind: str, workers: int, port: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    command = {
        "uvicorn": ["uvicorn", "app:app", "--port", str(port)],
        "gunicorn": [
            *("gunicorn", "app:app", "--no-control-socket"),
            *("--bind", f"127.0.0.1:{port}", "-k", "uvicorn.workers.UvicornWorker"),
        ],
    }[kind]
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "500")
    command = [sys.executable, "-m", *command, "--workers", str(workers)]
    with running(
        command, folder / "model.log", cwd=FOLDER, seconds=120
    ) as server:  # each worker loads scikit-learn
        yield server


def post(url: str, body: object, consumer: str = "") -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", "X-Consumer": consumer}
    try:
        asked = urllib.request.Request(f"{url}/predict", json.dumps(body).encode(), headers)
        with DIRECT.open(asked, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def judged(keeptime: Keeptime, contract: str, objective: str) -> int:
    """How many requests it has judged; 0 where it is not there yet, as a segment without requests is not."""
    contracts: Any = keeptime.api()["contracts"]
    (found,) = [each for each in contracts if each["contract"] == contract]
    return sum(total(each) for each in found["objectives"] if each["name"] == objective)


def scraped(keeptime: Keeptime) -> Any:
    """What is shown of the middleware's metrics."""
    contracts: Any = keeptime.api()["contracts"]
    (found,) = [one for each in contracts for one in each["traffic"] if one["kind"] == "scrape"]
    return found


def total(one: Any) -> int:
    return int(one["good"] or 0) + int(one["bad"] or 0)


@pytest.mark.parametrize(
    ("kind", "workers"),
    [("uvicorn", 2), pytest.param("uvicorn", 4, marks=pytest.mark.soak),
     pytest.param("gunicorn", 4, marks=pytest.mark.soak)],
)  # fmt: skip
def test_what_is_sent_to_the_workers_is_what_keeptime_counts(
    kind: str, workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    with keeping(tmp_path / "keeptime", terms(port)) as keeptime:
        keeptime.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", keeptime.url)
        with served(kind, workers, port, tmp_path, monkeypatch) as model:
            wait_until(lambda: scraped(keeptime)["results"].get("ok"), 60, "the first page of metrics")
            for number in range(30):
                version = "v2" if number % 3 == 0 else "v1"
                status, answer = post(model.url, {**SAMPLE, "version": version}, "checkout")
                assert (status, answer["vineyard"], answer["version"]) == (200, 0, version)
            assert post(model.url, {"measurements": [1, 2]})[0] == 422
            counts = {
                ("wines-latency", "users-200ms"): 30,
                ("wines-latency", "p99-500ms[model_version=v2]"): 10,
                ("wines-telemetry", "p99-500ms"): 30,
                ("wines-telemetry", "p99-500ms[model_version=v1]"): 20,
                ("wines-telemetry", "p99-500ms[model_version=v2]"): 10,
            }
            for which, count in counts.items():
                wait_until(lambda which=which, count=count: judged(keeptime, *which) >= count, 60, str(which))  # type: ignore[misc]
        assert {which: judged(keeptime, *which) for which in counts} == counts
        assert scraped(keeptime)["requests"] == 30
        assert judged(keeptime, "wines-latency", "p99-500ms") > 30  # the probes, too
