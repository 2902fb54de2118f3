"""How far off are reported latencies, and what does a probe cost: keeptime beside blackbox_exporter, same target.

The target (bench/target.c) answers exactly 20 ms after the kernel received the request. The client runs on one
core, the target and what drives blackbox_exporter on the other; rounds of both alternate. An error is the distance
of what is reported to 20 ms: done − sent for keeptime, probe_duration_seconds for blackbox_exporter (and beside it
the sum of its phases, which leaves out its own overhead). CPU is the whole client process' per probe: with keeptime
schedule, status and pattern checks, tallies and sketches; with blackbox_exporter its checks and exposition.

Then the same on a core shared with two processes that compute without end, and with a thread that computes
without end in keeptime's own process. Bars: median at most 1/2, p99 at most 1/4, CPU at most 0.6 of
blackbox_exporter's; p99 of stamped probes below 0.5 ms when disturbed.
"""

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import quote

from bench.probe_parts import DELAY_US, built, client, cores, cpu_seconds, hogs, on_core, process, quantile, target

BLACKBOX = "blackbox_exporter"
MODULES = """\
modules:
  model:
    prober: http
    timeout: 5s
    http: {preferred_ip_protocol: ip4, fail_if_body_not_matches_regexp: ['"answer"']}
"""


@dataclass
class Row:
    """One client in one setting; errors in microseconds, a list per round."""

    setting: str
    who: str
    rounds: list[list[float]] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    skipped: int = 0
    failed: int = 0
    note: str = ""

    @property
    def errors(self) -> list[float]:
        return [error for each in self.rounds for error in each]

    @property
    def median(self) -> float:
        return statistics.median(self.errors)

    @property
    def p99(self) -> float:
        return quantile(self.errors, 0.99)

    @property
    def cpu_us(self) -> float:
        return statistics.median(self.cpu) if self.cpu else float("nan")

    def spread(self) -> str:
        medians = [statistics.median(each) for each in self.rounds]
        return f"{min(medians):,.0f}-{max(medians):,.0f}"


@contextmanager
def blackbox(core: int) -> Iterator[tuple[int, int]]:
    """(port, process id) of a blackbox_exporter on this core."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "modules.yml"
        config.write_text(MODULES)
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port = int(sock.getsockname()[1])
        command = [
            "prometheus-blackbox-exporter",
            f"--config.file={config}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ]
        with process(on_core(core, command), stderr=subprocess.DEVNULL) as child:
            direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            for _ in range(200):
                try:
                    direct.open(f"http://127.0.0.1:{port}/-/healthy", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield port, child.pid


@dataclass(frozen=True)
class Bench:
    """Where everything runs."""

    core: int
    other: int
    target: int
    blackbox: int
    blackbox_pid: int

    def ask_blackbox(self, row: Row, phases: Row, rate: float, count: int) -> None:
        where = quote(f"http://127.0.0.1:{self.target}/", safe="")
        path = f"/probe?module=model&target={where}"
        command = [str(built("driver")), str(self.blackbox), path, f"{rate:g}"]
        before = cpu_seconds(self.blackbox_pid)
        done = subprocess.run(
            on_core(self.other, [*command, str(count)]), text=True, stdout=subprocess.PIPE, check=False
        )
        answered = [tuple(map(float, line.split())) for line in done.stdout.splitlines()]
        good = [each for each in answered if each[0] >= 0]
        if not good:
            raise SystemExit(f"{BLACKBOX} gave no good probe")
        row.cpu.append((cpu_seconds(self.blackbox_pid) - before) / len(answered) * 1e6)
        row.failed += count - len(good)
        row.rounds.append([abs(each[0] * 1e6 - DELAY_US) for each in good])
        phases.rounds.append([abs(each[1] * 1e6 - DELAY_US) for each in good])

    def ask_keeptime(self, row: Row, rate: float, count: int, **order: object) -> None:
        result = client(self.core, port=self.target, rate=rate, count=count, **order)
        row.rounds.append([abs(each / 1000 - DELAY_US) for each in cast(list[int], result["service"])])
        row.cpu.append(cast(float, result["cpu"]) / cast(int, result["outcomes"]) * 1e6)
        row.skipped += cast(int, result["skipped"])
        row.failed += cast(int, result["failed"])


def quiet(bench: Bench, rates: Sequence[tuple[int, int]], rounds: int) -> list[Row]:
    rows = []
    for rate, count in rates:
        setting = f"{rate}/s"
        peer, phases = Row(setting, BLACKBOX), Row(setting, f"{BLACKBOX}, its phases summed")
        fresh, reuse = Row(setting, "keeptime, fresh"), Row(setting, "keeptime, reuse")
        for _ in range(rounds):
            bench.ask_blackbox(peer, phases, rate, count // rounds)
            bench.ask_keeptime(fresh, rate, count // rounds)
            bench.ask_keeptime(reuse, rate, count // rounds // 2, connection="reuse")
        rows += [peer, phases, fresh, reuse]
        progress(setting)
    return rows


def disturbed(bench: Bench, rate: int, count: int, rounds: int) -> list[Row]:
    setting = f"{rate}/s, two CPU hogs"
    peer, phases = Row(setting, BLACKBOX), Row(setting, f"{BLACKBOX}, its phases summed")
    own, reuse, user = (
        Row(setting, "keeptime, fresh"),
        Row(setting, "keeptime, reuse"),
        Row(setting, "keeptime, fresh, its own clock"),
    )
    with hogs(bench.core, 2):
        for _ in range(rounds):
            bench.ask_blackbox(peer, phases, rate, count // rounds)
            bench.ask_keeptime(own, rate, count // rounds)
            bench.ask_keeptime(reuse, rate, count // rounds, connection="reuse")
            bench.ask_keeptime(user, rate, count // rounds, stamps=False)
    progress(setting)
    return [peer, phases, own, reuse, user]


def beside_a_thread(bench: Bench, rate: int, count: int, rounds: int) -> list[Row]:
    setting = f"{rate}/s, a spinning thread"
    own, reuse, user = (
        Row(setting, "keeptime, fresh"),
        Row(setting, "keeptime, reuse"),
        Row(setting, "keeptime, fresh, its own clock"),
    )
    for _ in range(rounds):
        bench.ask_keeptime(own, rate, count // rounds, spin=True)
        bench.ask_keeptime(reuse, rate, count // rounds, spin=True, connection="reuse")
        bench.ask_keeptime(user, rate, count // rounds, spin=True, stamps=False)
    progress(setting)
    for row in (own, reuse, user):
        row.cpu = []  # the spinning thread's
    return [own, reuse, user]


def progress(what: str) -> None:
    print(f"measured: {what}", file=sys.stderr)


def verdicts(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Each bar: what, the value, the limit, held or not."""
    found: list[dict[str, object]] = []

    def bar(what: str, value: float, limit: float) -> None:
        found.append({"bar": what, "value": round(value, 3), "limit": limit, "held": value <= limit})

    by = {(row.setting, row.who): row for row in rows}
    for row in rows:
        peer = by.get((row.setting, BLACKBOX))
        if row.who != "keeptime, fresh":
            if row.who == "keeptime, reuse" and "," in row.setting:
                bar(f"{row.setting}, reuse: p99 in us", row.p99, 500.0)
        elif "," in row.setting:
            bar(f"{row.setting}, fresh: p99 in us", row.p99, 500.0)
        elif peer is not None:
            bar(f"{row.setting}: median / {BLACKBOX}'s", row.median / peer.median, 0.5)
            bar(f"{row.setting}: p99 / {BLACKBOX}'s", row.p99 / peer.p99, 0.25)
            bar(f"{row.setting}: CPU per probe / {BLACKBOX}'s", row.cpu_us / peer.cpu_us, 0.6)
    return found


def show(rows: Sequence[Row], bars: Sequence[dict[str, object]]) -> None:
    print(
        "| setting | client | median error us (rounds) | p99 error us | CPU us/probe | samples | failed | skipped |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        cpu = f"{row.cpu_us:,.0f}" if row.cpu else ""
        print(
            f"| {row.setting} | {row.who} | {row.median:,.0f} ({row.spread()}) | {row.p99:,.0f} | {cpu} "
            f"| {len(row.errors):,} | {row.failed} | {row.skipped} |"
        )
    print("\n| bar | measured | limit | |\n|---|---|---|---|")
    for each in bars:
        print(f"| {each['bar']} | {each['value']} | {each['limit']} | {'held' if each['held'] else 'MISSED'} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few samples; the bars are printed, and not reliable")
    parser.add_argument(
        "--seed", type=int, default=0, help="taken for likeness with other benches; nothing is drawn"
    )
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    rates = [(10, 40), (100, 200), (500, 1000), (1000, 2000)] if args.quick else FULL
    count, rounds = (400, 1) if args.quick else (6000, 3)
    core, other = cores()
    with target(other) as port, blackbox(core) as (blackbox_port, pid):
        bench = Bench(core, other, port, blackbox_port, pid)
        rows = quiet(bench, rates, 1 if args.quick else 4)
        rows += disturbed(bench, 200, count, rounds)
        rows += beside_a_thread(bench, 100, count // 2, rounds)
    bars = verdicts(rows)
    show(rows, bars)
    if args.json:
        table = [
            {**asdict(row), "rounds": None, "median_us": row.median, "p99_us": row.p99, "samples": len(row.errors)}
            for row in rows
        ]
        Path(args.json).write_text(json.dumps({"rows": table, "bars": bars}, indent=2))
    return 0 if args.quick or all(each["held"] for each in bars) else 1


FULL = [(10, 2000), (100, 4000), (500, 10_000), (1000, 20_000)]

if __name__ == "__main__":
    sys.exit(main())
