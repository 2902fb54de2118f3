"""The demo's parts one by one: a consumer that checks signatures, children that end, what is found missing."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from keeptime.contract.load import load_text
from keeptime.demo.children import Child, Children, DemoError, await_that
from keeptime.demo.consumer import SECRET
from keeptime.demo.daemon import Daemon, get, post
from keeptime.demo.stage import example_model
from keeptime.demo.story import CONTRACT, EXPECTED, HOOK, PROMISE, TERMS, missing, received
from keeptime.testing.showable import FakeShowable, contract, view
from tests.web.conftest import served

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SLEEPER = [sys.executable, "-c", "import time; print('up at http://h:1/x', flush=True); time.sleep(600)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
    "print('grandchild', child.pid, flush=True); time.sleep(600)",
]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def send(url: str, body: bytes, key: str = KEY, **changed: str) -> int:
    at = datetime.now(UTC)
    headers = {
        "webhook-id": "m1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(key).sign("m1", at, body.decode()),
    }
    request = urllib.request.Request(
        url, body, headers | {name.replace("_", "-"): v for name, v in changed.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_consumer_takes_what_is_signed_and_nothing_else(tmp_path: Path) -> None:
    inbox = tmp_path / "received.jsonl"
    body = json.dumps({"type": "keeptime.objective.broken", "reason": "why"}).encode()
    with Children(tmp_path) as children:
        command = [sys.executable, "-m", "keeptime.demo.consumer", str(inbox)]
        url = children.start("consumer", command, {SECRET: KEY}).await_url("consumer ready at", 20)
        assert send(url, body, key="whsec_" + "A" * 32) == 401
        assert send(url, body, webhook_signature="v1,AAAA") == 401
        assert send(url, body, webhook_timestamp="1000000000") == 401
        assert send(url, b"x" * 300_000) == 413
        assert not inbox.exists()
        assert send(url, body) == 204
    line = json.loads(inbox.read_text())
    assert (received(line).topic, received(line).reason, received(line).id) == ("broken", "why", "m1")


def test_children_end_with_the_block_and_so_does_what_they_started(tmp_path: Path) -> None:
    with Children(tmp_path, patience=0.5) as children:
        quiet = children.start("quiet one", SLEEPER)
        assert quiet.await_url("up at", 10) == "http://h:1/x"
        deaf = children.start("deaf", DEAF)
        await_that(lambda: "grandchild" in deaf.said(), 10, "the grandchild", deaf)
        grandchild = int(deaf.said().split()[1])
        assert alive(grandchild)
    assert not alive(quiet.process.pid)
    assert not alive(deaf.process.pid)
    until(lambda: not alive(grandchild))  # killed with its group, but nobody here can wait for it


def test_children_end_on_an_error_too(tmp_path: Path) -> None:
    started: list[Child] = []

    def fail() -> None:
        with Children(tmp_path) as children:
            started.append(children.start("one", SLEEPER))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not alive(started[0].process.pid)


def test_children_that_are_set_free_stay(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start("one", SLEEPER)
        (pid,) = children.set_free()
    assert alive(pid)
    child.end()
    assert not alive(pid)


def test_a_child_that_ends_on_its_own_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    with Children(tmp_path) as children:
        child = children.start("model", [sys.executable, "-c", "import sys; sys.exit('no such port')"])
        with pytest.raises(DemoError, match=r"model ended with exit code 1; .*\nno such port"):
            child.await_url("model ready at", 10)


def test_what_does_not_come_about_is_an_error_that_names_it() -> None:
    with pytest.raises(DemoError, match=r"waited 0\.2 s in vain for a miracle"):
        await_that(lambda: False, 0.2, "a miracle")


@pytest.mark.parametrize(
    ("topics", "gone"),
    [
        (EXPECTED, ()),
        (("at_risk", "broken", "recovered", "at_risk", "broken", "recovered"), ()),
        (("broken", "recovered", "broken", "recovered"), EXPECTED),
        (("at_risk", "broken", "recovered"), ("broken", "recovered")),
        ((), EXPECTED),
    ],
)
def test_missing_says_what_did_not_come_in_its_place(topics: Sequence[str], gone: Sequence[str]) -> None:
    assert missing(topics) == tuple(gone)


def test_the_demos_contract_is_valid() -> None:
    text = TERMS.format(
        contract=CONTRACT, promise=PROMISE, url="http://127.0.0.1:5000/predict", hook=HOOK, secret=SECRET
    )
    loaded = load_text(text.encode(), "sla.yaml")
    codes = {problem.code for document in loaded.documents for problem in document.problems}
    assert codes <= {"no-dead-man"}, "a demo needs none"


def test_the_examples_own_contract_is_valid() -> None:
    file = example_model() / "sla.yaml"
    loaded = load_text(file.read_bytes(), str(file))
    assert [str(problem) for document in loaded.documents for problem in document.problems] == []


def test_the_api_is_read_as_it_is_served() -> None:
    with served(FakeShowable([view(contract())])) as where:
        daemon = Daemon(where.url, "sentiment-latency")
        standing = daemon.standing()
        assert standing is not None
        assert (standing.condition, standing.sli, standing.bad) == (None, None, 0)
        assert daemon.probe() == "status 200 in 21.3 ms"
        assert post(f"{where.url}/probe", {}) is False
    assert get(f"{where.url}/healthz") is None
    assert daemon.standing() is None
    assert daemon.probe() == ""


def test_an_interrupted_demo_leaves_nothing_running(tmp_path: Path) -> None:
    """SIGTERM as soon as the first process is up; SIGINT takes the same way."""
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    script = (
        "import argparse, sys; from keeptime.cli import demo; parser = argparse.ArgumentParser();"
        "demo.configure(parser); sys.exit(demo.run(parser.parse_args([])))"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    assert "a model answers at" in process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children
    process.send_signal(signal.SIGTERM)
    process.stdout.read()
    assert process.wait(20) in (1, 130)
    time.sleep(0.1)
    assert [pid for pid in children if alive(int(pid))] == []
    assert list(tmp_path.iterdir()) == []
