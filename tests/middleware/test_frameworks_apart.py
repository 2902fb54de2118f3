"""The snippets for frameworks that keeptime is not developed with: run where they are installed."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks
from tests.servers import DIRECT, end, wait_until

PAGE = ROOT / "docs" / "middleware-frameworks.md"
PORT = 31870
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT / "src"),
    "BENTOML_DO_NOT_TRACK": "True",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(find_spec(name) is None, reason=f"{name} is not installed")


def written(word: str, folder: Path) -> None:
    (found,) = [each for each in blocks("python") if each.page == PAGE and word in each.text]
    (folder / "app.py").write_text(found.text.replace("/run/model/counts", str(folder / "counts")), "utf-8")


def ask(path: str, body: object = None) -> str:
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data, {"Content-Type": "application/json"})
    with DIRECT.open(asked, timeout=30) as answer:
        return str(answer.read().decode())


def answers(path: str) -> bool:
    try:
        ask(path)
    except (OSError, urllib.error.HTTPError):
        return False
    return True


def series(*parts: str) -> float:
    """The one series with all of these in its line."""
    lines = [each for each in ask("/keeptime").splitlines() if each[0] != "#"]
    (line,) = [each for each in lines if all(part in each for part in parts)]
    return float(line.rpartition(" ")[2])


@pytest.mark.soak
@needs("bentoml")
def test_bentoml(tmp_path: Path) -> None:
    written("bentoml", tmp_path)
    command = [sys.executable, "-m", "bentoml", "serve", "app:Digits", "--host", "127.0.0.1", "--port", str(PORT)]
    server = subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT)
    try:
        wait_until(lambda: answers("/readyz"), 90, "BentoML")
        for _ in range(20):
            assert ask("/predict", {"kind": "digits"}) == '{"digit": 3}'
        assert ask("/generate", {"prompt": "a b c"}) == "abc"
        assert series("server_requests_total", 'route="/predict"', 'result="ok"') == 20
        assert series("inter_token_seconds_count", 'route="/generate"', 'result="ok"') == 2
    finally:
        end(server)


@pytest.mark.soak
@needs("ray")
def test_ray_serve(tmp_path: Path) -> None:
    written("ray import serve", tmp_path)
    (tmp_path / "start.py").write_text(
        "import time, ray\n"
        "from ray import serve\n"
        "ray.init(num_cpus=2, include_dashboard=False, object_store_memory=80 * 2**20)\n"
        f"serve.start(http_options={{'host': '127.0.0.1', 'port': {PORT}}})\n"
        "import app\n"
        "serve.run(app.app, route_prefix='/')\n"
        "time.sleep(600)\n"
    )
    environment = {**ENVIRONMENT, "PYTHONPATH": f"{ROOT / 'src'}:{tmp_path}"}
    server = subprocess.Popen([sys.executable, "start.py"], cwd=tmp_path, env=environment)
    try:
        wait_until(lambda: answers("/keeptime"), 120, "Ray Serve")
        for _ in range(20):
            assert ask("/generate") == "abc"

        assert series("server_requests_total", 'model="sentiment"', 'result="ok"') == 20
        assert series("inter_token_seconds_count", 'model="sentiment"', 'result="ok"') == 40
    finally:
        end(server, 30)
