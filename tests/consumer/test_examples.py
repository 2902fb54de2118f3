"""Each example, really started: it takes what is ours, each once, and refuses the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keeptime.errors import DeliveryError

from .given import OK, OTHER, PAGE, SECRET, deliveries, send

FOLDER = Path(__file__).parents[2] / "examples" / "consumer"


@pytest.mark.parametrize("name", ["flask_app.py", "starlette_app.py", "plain_app.py"])
def test_it_prints_each_message_once_and_refuses_forgeries(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", SECRET)
    monkeypatch.setenv("FORGED", OTHER)
    environment = {**os.environ, "KEEPTIME_SECRET": SECRET}
    with subprocess.Popen(
        [sys.executable, FOLDER / name],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, cwd=tmp_path,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            began, ended = deliveries(url, "env:OURS", PAGE, OK)
            assert send([began, began, ended]) == ["200"] * 3
            with pytest.raises(DeliveryError, match="401"):
                send(deliveries(url, "env:FORGED", PAGE))
            assert process.stdout.readline().startswith("at_risk sentiment-latency/p99: 42 of 3,600")
            assert process.stdout.readline().startswith("recovered sentiment-latency/p99: ")
        finally:
            process.kill()
