"""The example model, really started: it predicts, misbehaves when told to, and refuses nonsense."""

import json
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.datasets import load_digits

from tests.servers import Running, answers, get_json, listening_ports, running

FOLDER = Path(__file__).parents[2] / "examples" / "flask_model"
SAMPLE = {"data": "sample_input"}


def started(script: str, folder: Path, *more: str) -> Iterator[Running]:
    command = [sys.executable, str(FOLDER / script), "--port", "0", *more]
    with running(command, folder / "model.log") as server:
        yield server


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from started("serve.py", tmp_path_factory.mktemp("model"))


@pytest.fixture
def control(model: Running) -> Iterator[str]:
    """Where to make the model slow or failing; it is well again afterwards."""
    yield f"{model.url}/control"
    assert post(f"{model.url}/control", {"delay_ms": 0, "fail": False, "fault": None})[0] == 200


def post(url: str, body: object) -> tuple[int, dict[str, object]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def seconds(url: str) -> float:
    began = time.monotonic()
    post(url, SAMPLE)
    return time.monotonic() - began


def test_it_reads_a_digit(model: Running) -> None:
    status, answer = post(f"{model.url}/predict", SAMPLE)
    assert (status, answer["digit"]) == (200, 3)
    assert answer["confidence"] > 0.9  # type: ignore[operator]


@pytest.mark.parametrize("fault", ["inference", "lock", "gc", "dependency", "queue"])
def test_a_fault_makes_it_slow_and_then_it_is_well_again(control: str, model: Running, fault: str) -> None:
    assert post(control, {"fault": fault})[1]["fault"] == fault
    assert max(seconds(f"{model.url}/predict") for _ in range(2)) > 0.4
    assert post(control, {"fault": None})[1]["fault"] is None
    seconds(f"{model.url}/predict")
    assert min(seconds(f"{model.url}/predict") for _ in range(2)) < 0.4


def test_what_it_asks_is_not_taken_for_the_model(model: Running) -> None:
    """The service that it looks features up in listens as well: whoever looks for the model finds one."""
    ports = list(listening_ports(model.process.pid))
    found = [port for port in ports if get_json(f"http://127.0.0.1:{port}/").get("model") == "digits"]
    assert len(ports) == 2
    assert model.url == f"http://127.0.0.1:{found[0]}"
    assert [answers(f"http://127.0.0.1:{port}/") for port in ports].count(True) == 1


def test_the_steps_of_an_answer_are_told(model: Running) -> None:
    asked = urllib.request.Request(
        f"{model.url}/predict", json.dumps(SAMPLE).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(asked, timeout=10) as answer:
        told = answer.headers["Server-Timing"]
    assert [each.partition(";dur=")[0] for each in told.split(", ")] == ["features", "queue", "inference"]


def test_it_is_a_real_model(model: Running) -> None:
    images, digits = load_digits(return_X_y=True)
    read = [post(f"{model.url}/predict", {"data": list(image)})[1]["digit"] for image in images[-20:]]
    assert sum(a == b for a, b in zip(read, digits[-20:], strict=True)) >= 15
    with urllib.request.urlopen(model.url) as response:
        assert json.load(response)["held_out_accuracy"] > 0.85


@pytest.mark.parametrize(
    "body",
    [{}, [], {"data": None}, {"data": "other"}, {"data": [1] * 63}, {"data": ["1"] * 64}, {"data": [True] * 64},
     b'{"data": ' + b"[" * 9000, b"rubbish", b'{"data": [' + b"NaN," * 63 + b"NaN]}"],
)  # fmt: skip
def test_nonsense_is_a_400_with_a_sentence(model: Running, body: object) -> None:
    status, answer = post(f"{model.url}/predict", body)
    assert status == 400
    assert str(answer["error"])


def test_control_makes_it_slow_and_failing_and_well_again(model: Running, control: str) -> None:
    predict = f"{model.url}/predict"
    assert post(control, {"delay_ms": 300}) == (200, {"delay_ms": 300, "fail": False, "fault": None})
    assert seconds(predict) >= 0.3
    assert post(control, {"delay_ms": 0, "fail": True}) == (200, {"delay_ms": 0, "fail": True, "fault": None})
    assert post(predict, SAMPLE)[0] == 500
    post(control, {"fail": False})
    assert post(predict, SAMPLE)[0] == 200


@pytest.mark.parametrize(
    "body",
    [
        {"delay_ms": -1},
        {"delay_ms": "9"},
        {"delay_ms": 1e9},
        {"fail": 1},
        {"delay": 1},
        {"fault": "gremlins"},
        {"fault": 1},
        {"fault": ["lock"]},
        [],
        b"x",
        {"delay_ms": True},
    ],
)
def test_control_refuses_nonsense_and_changes_nothing(model: Running, control: str, body: object) -> None:
    assert post(control, body)[0] == 400
    assert post(control, {})[1] == {"delay_ms": 0, "fail": False, "fault": None}


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, str(FOLDER / "serve.py"), "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another with --port N (0: any free one)"
    ]


def test_the_uniform_variant_answers_in_50_to_600_ms(tmp_path: Path) -> None:
    for server in started("uniform.py", tmp_path, "--seed", "1"):
        took = [seconds(f"{server.url}/predict") for _ in range(12)]
        assert min(took) >= 0.05
        assert max(took) - min(took) > 0.2
        assert 0.1 < statistics.fmean(took) < 0.7
