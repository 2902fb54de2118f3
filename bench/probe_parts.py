"""What both probe benches need: the compiled target, processes on a core, their CPU time, and a client process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from keeptime.contract.probed import Endpoint, Expect, Probe
from keeptime.contract.terms import Contract, Objective, Policy, PolicyKind, Rolling
from keeptime.model.sample import Connection

HERE = Path(__file__).parent
BUILD = HERE / ".build"
DELAY_US = 20_000


def built(name: str) -> Path:
    """The program of bench/NAME.c, compiled if it is newer."""
    source, program = HERE / f"{name}.c", BUILD / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        BUILD.mkdir(exist_ok=True)
        subprocess.run(["cc", "-O2", "-Wall", "-o", str(program), str(source)], check=True)
    return program


def cores() -> tuple[int, int]:
    """(the client's core, everything else's); the same one where there is only one."""
    available = sorted(os.sched_getaffinity(0))
    return available[0], available[-1]


def on_core(core: int, command: Sequence[str]) -> list[str]:
    return ["taskset", "-c", str(core), *command]


@contextmanager
def process(command: Sequence[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(command, text=True, **options)  # type: ignore[call-overload]
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for pipe in (child.stdout, child.stdin):
            if pipe is not None:
                pipe.close()


@contextmanager
def target(core: int, delay_us: int = DELAY_US) -> Iterator[int]:
    """The exact-delay target; gives its port."""
    command = on_core(core, [str(built("target")), "0", str(delay_us)])
    with process(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        yield int(child.stdout.readline())


@contextmanager
def hogs(core: int, count: int) -> Iterator[None]:
    """So many processes that compute without end on this core."""
    children = [
        subprocess.Popen(on_core(core, [sys.executable, "-S", "-c", "while True: pass"])) for _ in range(count)
    ]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


def cpu_seconds(pid: int) -> float:
    """Time that the scheduler has given to the live threads of a process so far (exact; `stat` has 10-ms steps)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def contract(name: str, port: int, every: float, connection: Connection, path: str = "/") -> Contract:
    """A contract as people write them: a status, a pattern in the body, two objectives."""
    endpoint = Endpoint(f"http://127.0.0.1:{port}{path}", expect=Expect(regex='"answer"'))
    policy = Policy(PolicyKind.BURN_RATE)
    objectives = (
        Objective("p99", Fraction("0.99"), 0.5, Rolling(28 * 86400.0), policy),
        Objective("p50", Fraction("0.5"), 0.2, Rolling(28 * 86400.0), policy),
    )
    probes = (Probe(every, 5.0, connection, 1024),)
    return Contract(name, "bench", "m", endpoint, probes, objectives, (), (), 60.0, "v", "bench")


def client(core: int, **order: object) -> dict[str, object]:
    """Run keeptime's engine in a process of its own on `core` (bench.probe_client) and take its result."""
    command = on_core(core, [sys.executable, "-m", "bench.probe_client", json.dumps(order)])
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True, cwd=HERE.parent)
    result: dict[str, object] = json.loads(done.stdout)
    return result


def quantile(values: Sequence[float], q: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]
