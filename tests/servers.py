"""Real servers for tests: started on a port of the system's choosing, waited for, ended by process id.

Guarantees: a server that does not come up fails the test with its own log; none outlives the `with` block.
"""

import http.client
import json
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

READY_SECONDS = 30.0
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Loopback is asked directly, whatever proxy the environment names."""


@dataclass(frozen=True)
class Running:
    """A server that answers at `url`; its output is in `log`."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def running(
    command: Sequence[str], log: Path, ready: str = "/", cwd: Path | None = None, seconds: float = READY_SECONDS
) -> Iterator[Running]:
    """Start `command`, which listens on a TCP port of 127.0.0.1 (0: any), until GET `ready` is answered with 200.

    If it listens on several, the one that answers so is meant. `seconds`: it may take so long.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=cwd)
    try:
        yield Running(_await_ready(process, log, ready, seconds), process, log)
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], seconds: float = 10.0) -> int:
    """Ask it to end, and after `seconds` make it. Returns its exit code."""
    process.terminate()
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _await_ready(process: subprocess.Popen[bytes], log: Path, ready: str, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        for port in listening_ports(process.pid):
            if answers(f"http://127.0.0.1:{port}{ready}"):
                return f"http://127.0.0.1:{port}"
        time.sleep(0.05)
    how = "ended" if process.poll() is not None else "was not ready in time"
    raise AssertionError(f"{process.args!r} {how}; it said:\n{log.read_text(errors='replace')}")


def answers(url: str) -> bool:
    """Is a GET of this URL answered with 200?"""
    try:
        with DIRECT.open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (OSError, http.client.HTTPException):  # the latter: it speaks something else
        return False


def listening_ports(pid: int) -> Iterator[int]:
    """The TCP ports that this process listens on so far, in no order (Linux: from /proc)."""
    inodes = _sockets(pid)
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                yield int(fields[1].rpartition(":")[2], 16)


def _sockets(pid: int) -> set[str]:
    found = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(link)
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


@contextmanager
def prometheus(
    folder: Path,
    targets: Sequence[str],
    rules: str = "",
    alertmanager: str = "",
    options: Sequence[str] = (),
    **job: object,
) -> Iterator[Running]:
    """Prometheus that scrapes these host:port targets (job "model") and evaluates `rules` (YAML) each second.

    `options`: more of the command line; `job`: of the scrape configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yml").write_text(rules or "groups: []\n")
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "900ms", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "model", **job, "static_configs": [{"targets": list(targets)}]}],
    }
    if alertmanager:
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    (folder / "prometheus.yml").write_text(json.dumps(config))
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        "--web.listen-address=127.0.0.1:0",
        *options,
    ]
    with running(command, folder / "prometheus.log", ready="/-/ready") as server:
        yield server


@contextmanager
def alertmanager(folder: Path) -> Iterator[Running]:
    """Alertmanager that keeps what it is sent and tells nobody."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "alertmanager.yml").write_text('{"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}')
    command = [
        "prometheus-alertmanager",
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
    ]
    with running(command, folder / "alertmanager.log", ready="/-/ready") as server:
        yield server


def query(server: Running, expression: str) -> dict[tuple[tuple[str, str], ...], float]:
    """An instant query: value by sorted labels."""
    text = urllib.parse.urlencode({"query": expression})
    data = get_json(f"{server.url}/api/v1/query?{text}")
    results = data["data"]["result"]  # type: ignore[index,call-overload]
    return {tuple(sorted(each["metric"].items())): float(each["value"][1]) for each in results}


def get_json(url: str) -> dict[str, object]:
    """The JSON object that a GET of this URL answers with, whatever the status."""
    try:
        with DIRECT.open(url, timeout=10) as response:
            return dict(json.load(response))
    except urllib.error.HTTPError as error:
        return dict(json.load(error))


def wait_until(holds: Callable[[], object], seconds: float, what: str) -> None:
    """Ask again and again until it holds. Fails the test after `seconds`, saying what was waited for."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for: {what}")
        time.sleep(0.1)
