"""The example language model, really started: its answers, its refusals, and the contract beside it."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeptime.cli.main import main
from tests.servers import DIRECT, Running, running

FOLDER = Path(__file__).parents[2] / "examples" / "llm_server"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("model")
    command = [sys.executable, str(FOLDER / "serve.py"), "--port", "0"]
    with running(command, folder / "model.log", "/sent") as server:
        yield server


def ask(model: Running, path: str, body: object) -> tuple[int, bytes]:
    request = urllib.request.Request(model.url + path, json.dumps(body).encode())
    try:
        with DIRECT.open(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_chat(model: Running) -> None:
    body = {"stream": True, "stream_options": {"include_usage": True}, "ttft_ms": 1, "gap_ms": 1, "max_tokens": 3}
    status, data = ask(model, "/v1/chat/completions?name=chat", body)
    events = [each for each in data.decode().split("\n\n") if each.startswith("data: ")]
    assert (status, events[-1]) == (200, "data: [DONE]")
    chunks = [json.loads(each.removeprefix("data: ")) for each in events[:-1]]
    said = [choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"]]
    assert said == ["", "one ", "two ", "three ", None]
    assert chunks[-1]["usage"]["completion_tokens"] == 3
    streams = json.loads(ask(model, "/sent?name=chat", {})[1])["streams"]
    assert [len(each["sent_ns"]) for each in streams] == [3]
    assert streams[0]["read_ns"] + 1_000_000 <= streams[0]["sent_ns"][0]


def test_lines_and_whole_answers(model: Running) -> None:
    status, data = ask(model, "/ndjson?ttft_ms=1&gap_ms=1&tokens=2&odd=0", {})
    assert (status, [json.loads(line)["done"] for line in data.splitlines()]) == (200, [False, False, True])
    status, data = ask(model, "/v1/completions?ttft_ms=1&gap_ms=1&tokens=2", {})
    assert (status, json.loads(data)["usage"]["completion_tokens"]) == (200, 2)


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/v1/chat/completions?tokens=lots", {}, 400, "no number"),
        ("/v1/chat/completions?tokens=0", {}, 400, "tokens is from 1"),
        ("/v1/chat/completions", {"max_tokens": "x"}, 400, "max_tokens a whole number"),
        ("/v1/chat/completions", [1], 400, "no JSON object"),
        ("/v1/chat/completions?gap_ms=1e9", {}, 400, "expected 0 to"),
        ("/v1/chat/completions?status=503", {}, 503, "told to fail"),
        ("/v1/embeddings", {}, 404, "expected one of"),
    ],
)
def test_refusals(model: Running, path: str, body: object, status: int, said: str) -> None:
    found, data = ask(model, path, body)
    assert (found, said in data.decode()) == (status, True)


def test_the_contract_of_the_example(model: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "sla.yaml"
    file.write_text((FOLDER / "sla.yaml").read_text().replace("http://127.0.0.1:8001", model.url))
    (tmp_path / "prompts.jsonl").write_text((FOLDER / "prompts.jsonl").read_text())
    assert main(["check", str(file)]) == 0
    assert "0 errors, 0 warnings" in capsys.readouterr().out
    assert main(["probe", "--json", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["stream"]["tokens"] == 32
