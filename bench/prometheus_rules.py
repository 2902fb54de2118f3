"""What the exported rules cost a Prometheus per evaluation cycle, beside Sloth's for the same promises and tiers.

Four Prometheus servers run side by side, scrape the same endpoint and have 30 days of history: one without rules,
one with Sloth's, two with keeptime's for the policies burn-rate and buckets. Each series reaches back as far as its
rules read. What a rule set costs in a cycle is its server's CPU time in that cycle less that of the one without
rules. Bar: each of keeptime's at most a fifth of Sloth's.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import yaml
from tests.servers import Running, query, running

from bench.sloth_rules import sloth_groups
from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.export.prometheus.compile import Options, compile_group
from keeptime.export.prometheus.rules import rule_file
from keeptime.model.key import ObjectiveKey

STEP = 30
"""Seconds between scrapes and between evaluations."""
HOUR, DAY = 3600, 86_400
BAR = 0.2
PER_STEP = 30
"""Requests of one objective per step; one in 200 is bad."""
SUMS = ("keeptime:requests:sum", "keeptime:bad:sum", "keeptime:observed_seconds:sum")
NOWS = ("keeptime:requests:increase", "keeptime:bad:increase", "keeptime:observed_seconds:increase")


POLICIES = ("burn-rate", "buckets")
CARRIED = ("keeptime:objective:standing", "keeptime:quiet:seconds")
BUCKETS = ("level", "requests", "bad", "clearing")
TIERS = {"outage": "page", "fast": "page", "slow": "ticket"}


def contracts(count: int, policy: str) -> list[Contract]:
    """So many promises of 99 % over 28 days, ten to a contract."""
    texts = []
    for number in range(count // 10):
        objectives = "".join(
            f"  - {{name: o{each}, target: 99%, under: {each + 1}00ms, over: 28d}}\n" for each in range(10)
        )
        probed = "endpoint: {url: 'http://127.0.0.1:1/'}\nobserve: [{probe: 1s}]"
        head = f"contract: c{number}\n{probed}\npolicy: {policy}\nobjectives:\n"
        texts.append(head + objectives)
    found = load_text("---\n".join(texts).encode(), "bench.yaml")
    assert len(found.contracts) == count // 10, found.problems
    return list(found.contracts)


def keys_of(some: list[Contract]) -> list[ObjectiveKey]:
    return [contract.key(objective) for contract in some for objective in contract.objectives]


def counted(result: str, now: float) -> float:
    """The endpoint's counter at an instant."""
    whole = int(now // STEP) * PER_STEP
    return whole // 200 if result == "bad" else whole - whole // 200


def spans(now: int, *back: tuple[int, int]) -> Iterator[int]:
    """Instants on the grid from `back[0]` to `back[1]` seconds ago, oldest first."""
    for since, until in back:
        yield from range((now - since) // STEP * STEP, (now - until) // STEP * STEP, STEP)


def raw_lines(keys: list[ObjectiveKey], now: int) -> Iterator[str]:
    yield "# TYPE keeptime_objective_requests counter\n"
    for key in keys:
        for result in ("good", "bad"):
            who = (
                f'contract="{key.contract}",instance="i",job="model",objective="{key.objective}",result="{result}"'
            )
            name = f"keeptime_objective_requests_total{{{who}}}"
            yield from (f"{name} {counted(result, at)} {at}\n" for at in spans(now, (3 * DAY + HOUR, 60)))


def sloth_lines(keys: list[ObjectiveKey], now: int) -> Iterator[str]:
    yield "# TYPE slo:sli_error:ratio_rate5m gauge\n"
    for key in keys:
        who = f'sloth_service="{key.contract}",sloth_slo="{key.objective}",sloth_window="5m"'
        name = f'slo:sli_error:ratio_rate5m{{sloth_id="{key.contract}-{key.objective}",{who}}}'
        yield from (f"{name} 0.00{at // STEP % 7 + 2} {at}\n" for at in spans(now, (30 * DAY, 60)))


def keeptime_lines(keys: list[ObjectiveKey], now: int) -> Iterator[str]:
    """What the rules read: increases of 6 h, and the sums that long windows are made of, around their ends."""
    around = [(back * DAY + 2 * HOUR, back * DAY - HOUR) for back in range(6, 0, -1)]
    weeks = [(back * 7 * DAY + 2 * HOUR, back * 7 * DAY - HOUR) for back in (3, 2, 1)]
    for place, name in enumerate(NOWS):
        yield f"# TYPE {name} gauge\n"
        for key in keys:
            labels = f'contract="{key.contract}",objective="{key.objective}",slo="{key}"'
            yield from (
                f"{name}{{{labels}}} {(30, at // STEP % 2, 30)[place]} {at}\n" for at in spans(now, (7 * HOUR, 60))
            )
    for name in SUMS:
        yield f"# TYPE {name} gauge\n"
        for key in keys:
            labels = f'contract="{key.contract}",objective="{key.objective}",slo="{key}"'
            for window, back in (("6h", [(20 * HOUR, 60)]), ("1d", around), ("7d", weeks)):
                series = f'{name}{{{labels},window="{window}"}}'
                yield from (f"{series} {at // STEP % 100 + 5000} {at}\n" for at in spans(now, *back))


def carried_lines(keys: list[ObjectiveKey], now: int) -> Iterator[str]:
    """What the rules carry on: their own last values, sought in six hours."""
    for name in CARRIED:
        yield f"# TYPE {name} gauge\n"
        for key in keys:
            labels = f'contract="{key.contract}",objective="{key.objective}",slo="{key}"'
            yield from (f"{name}{{{labels}}} 0 {at}\n" for at in spans(now, (7 * HOUR, 60)))


def bucket_lines(keys: list[ObjectiveKey], now: int) -> Iterator[str]:
    """The same of buckets, which fill and empty all the time."""
    for name in (*(f"keeptime:bucket:{each}" for each in BUCKETS), "keeptime:tier:standing"):
        yield f"# TYPE {name} gauge\n"
        for key in keys:
            labels = f'contract="{key.contract}",objective="{key.objective}",slo="{key}"'
            for place, (tier, severity) in enumerate(TIERS.items()):
                series = f'{name}{{{labels},tier="{tier}",severity="{severity}"}}'
                filled = name.endswith((":level", ":requests", ":bad"))
                for at in spans(now, (7 * HOUR, 60)):
                    level = (at // STEP * (place + 7)) % 100 * 0.7231437 if filled else 0
                    yield f"{series} {level!r} {at}\n"


def backfill(folder: Path, lines: Iterator[str]) -> None:
    source = folder / "history.txt"
    with source.open("w") as file:
        file.writelines(lines)
        file.write("# EOF\n")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=744h", str(source)]
    subprocess.run([*command, str(folder / "tsdb")], check=True, capture_output=True)
    source.unlink()


class Endpoint(BaseHTTPRequestHandler):
    keys: ClassVar[list[ObjectiveKey]] = []

    def do_GET(self) -> None:
        now = time.time()
        lines = ["# TYPE keeptime_objective_requests_total counter"]
        for key in self.keys:
            for result in ("good", "bad"):
                labels = f'contract="{key.contract}",objective="{key.objective}",result="{result}"'
                lines.append(f"keeptime_objective_requests_total{{{labels}}} {counted(result, now)}")
        body = ("\n".join(lines) + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


Lines = Callable[[list[ObjectiveKey], int], Iterator[str]]


def server(folder: Path, port: int, rules: str, stack: ExitStack) -> Running:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yml").write_text(rules)
    scrape = {
        "job_name": "model",
        "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": {"instance": "i"}}],
    }
    config = {
        "global": {"scrape_interval": f"{STEP}s", "evaluation_interval": f"{STEP}s"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [scrape],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    command += ["--storage.tsdb.retention.time=90d", "--web.listen-address=127.0.0.1:0"]
    return stack.enter_context(running(command, folder / "log", ready="/-/ready"))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def measure(servers: dict[str, Running], cycles: int) -> dict[str, list[float]]:
    """CPU seconds of each server in each cycle."""
    found: dict[str, list[float]] = {name: [] for name in servers}
    time.sleep(2.5 * STEP)
    before = {name: cpu_seconds(each.process.pid) for name, each in servers.items()}
    for cycle in range(cycles):
        time.sleep(STEP)
        for name, each in servers.items():
            now = cpu_seconds(each.process.pid)
            found[name].append(now - before[name])
            before[name] = now
        print(f"cycle {cycle + 1} of {cycles}", file=sys.stderr, flush=True)
    return found


def health(server: Running) -> tuple[float, float]:
    """Failed evaluations, and seconds that the rules' groups took last, together."""
    failures = sum(query(server, "sum(prometheus_rule_evaluation_failures_total)").values())
    return failures, sum(query(server, "sum(prometheus_rule_group_last_duration_seconds)").values())


def run(objectives: int, cycles: int) -> dict[str, object]:
    some = {policy: contracts(objectives, policy) for policy in POLICIES}
    keys, now = keys_of(some["buckets"]), int(time.time())
    Endpoint.keys = keys
    rules = {
        "none": "groups: []\n",
        "sloth": yaml.safe_dump({"groups": [group for key in keys for group in sloth_groups(key, 0.99)]}),
        **{
            policy: rule_file([compile_group("keeptime", each, Options(STEP, 2026))])
            for policy, each in some.items()
        },
    }
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        endpoint = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        threading.Thread(target=endpoint.serve_forever, daemon=True).start()
        stack.callback(endpoint.shutdown)
        history: dict[str, tuple[Lines, ...]] = {
            "none": (raw_lines,),
            "sloth": (raw_lines, sloth_lines),
            "burn-rate": (raw_lines, keeptime_lines, carried_lines),
            "buckets": (raw_lines, keeptime_lines, carried_lines, bucket_lines),
        }
        for name, parts in history.items():
            (root / name).mkdir()
            print(f"history for {name}", file=sys.stderr, flush=True)
            backfill(root / name, (line for part in parts for line in part(keys, now)))
        servers = {name: server(root / name, endpoint.server_port, text, stack) for name, text in rules.items()}
        for scraped in servers.values():
            query(scraped, "up")
        found = measure(servers, cycles)
        return {
            "cpu": found,
            "health": {name: health(each) for name, each in servers.items()},
            "objectives": objectives,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 objectives, 4 cycles")
    parser.add_argument("--seed", type=int, default=1, help="taken for likeness; nothing here is random")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    result = run(*((20, 4) if given.quick else (100, 10)))
    cpu: dict[str, list[float]] = result["cpu"]  # type: ignore[assignment]
    cost = {name: [a - b for a, b in zip(cpu[name], cpu["none"], strict=True)] for name in ("sloth", *POLICIES)}
    print(f"{result['objectives']} objectives, CPU seconds per cycle of {STEP} s beyond a Prometheus without rules")
    for name, each in cost.items():
        failed, took = result["health"][name]  # type: ignore[index]
        print(
            f"{name:10} {statistics.median(each):7.3f}  ({min(each):.3f} to {max(each):.3f}); "
            f"{failed:.0f} failed; last {took:.2f} s"
        )
    ratio = {policy: statistics.median(cost[policy]) / statistics.median(cost["sloth"]) for policy in POLICIES}
    for policy in POLICIES:
        each = [k / s for k, s in zip(cost[policy], cost["sloth"], strict=True) if s > 0]
        print(f"ratio of {policy:10} {ratio[policy]:7.3f}  ({min(each):.3f} to {max(each):.3f}); bar {BAR}")
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(
            json.dumps({"bench": "prometheus_rules", **result, "ratio": ratio, "bar": BAR}, indent=1)
        )


if __name__ == "__main__":
    main()
