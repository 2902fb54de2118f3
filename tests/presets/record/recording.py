"""Run a real model server on loopback, send it requests, and keep what its metrics then say.

Guarantees: the server is ended, with what it started, by its process group; what is kept is lines as the server
wrote them, and whole metrics. Runs inside the server's own environment: standard library alone.
"""

import http.client
import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

READY_SECONDS = 180.0
HERE = Path(__file__).parent


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[str],
    ready: Callable[[], object],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Start `command` and wait until `ready` no longer fails; end its process group."""
    with tempfile.NamedTemporaryFile("w+b") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=cwd, env={**os.environ, **(env or {})}, start_new_session=True
        )
        try:
            _await(process, ready, Path(log.name))
            yield
        finally:
            _end(process)


def _await(process: subprocess.Popen[bytes], ready: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            ready()
            return
        except (OSError, http.client.HTTPException, AssertionError):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the server did not come up:\n{log.read_text('utf-8', 'replace')[-4000:]}")
            time.sleep(0.3)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end what it started and then itself; what is left of its group after that is made to."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(60)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def ask(port: int, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """One request; a body is sent as JSON by POST. Returns its status and the text of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        content = None if body is None else json.dumps(body)
        sent = {"Content-Type": "application/json", **(headers or {})}
        connection.request("GET" if body is None else "POST", path, content, sent)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    finally:
        connection.close()


def expect(
    status: int, port: int, path: str, body: object = None, headers: Mapping[str, str] | None = None
) -> None:
    """As `ask`; the server is to answer with this status."""
    got, text = ask(port, path, body, headers)
    assert got == status, f"{path}: {got} {text[:500]}"


def keep(package: str, said: str, text: str, names: str, output: str) -> None:
    """Write the metrics whose names match, whole, with where they come from. `said`: what was sent."""
    wanted = re.compile(rf"(?:# (?:HELP|TYPE) )?(?:{names})(?:_bucket|_count|_sum|_total|_created)?(?:[ {{]|$)")
    lines = [line for line in text.splitlines() if wanted.match(line) and "_created" not in line]
    assert lines, f"no metric is called {names}:\n{text[:2000]}"
    head = [
        f"# Recorded from {package} {version(package)} on Python {platform.python_version()}.",
        *(f"# {line}" for line in said.splitlines()),
    ]
    Path(output).write_text("\n".join([*head, *lines, ""]), "utf-8")
