"""The engine against real servers: open loop, overlap, caps, kept connections, reload, being stopped."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter as Count
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from keeptime.clock import wall_ns
from keeptime.contract.probed import Endpoint, SecretRef, TlsTerms
from keeptime.contract.terms import Contract
from keeptime.errors import ProbeError, SecretError, UsageError
from keeptime.model.sample import Connection, Failure, Sample, Skipped
from keeptime.model.tally import Tally
from keeptime.observe.count import Counter
from keeptime.observe.engine import Engine
from keeptime.observe.resolve import CaresNames
from keeptime.observe.route import ENDED, STOPPED
from keeptime.observe.schedule import slots_of
from tests.observe.given import contract, objective, once, sound
from tests.observe.servers import OK, Authority, answers, keeps, serving, silent

pytestmark = pytest.mark.serial
"""Beside tests that compute, the engine rightly skips probes that it cannot send in time."""


class Outcomes(list[Sample | Skipped]):
    """Every outcome, in order."""

    @property
    def samples(self) -> list[Sample]:
        return [each for each in self if isinstance(each, Sample)]

    @property
    def skipped(self) -> list[Skipped]:
        return [each for each in self if isinstance(each, Skipped)]

    def wait(self, holds: Callable[["Outcomes"], bool], seconds: float = 20.0) -> None:
        until = time.monotonic() + seconds
        while not holds(self):
            assert time.monotonic() < until, f"waited in vain; came: {self[-3:]}"
            time.sleep(0.01)


@contextmanager
def running(contracts: Sequence[Contract], **options: object) -> Iterator[tuple[Engine, Outcomes]]:
    outcomes = Outcomes()
    engine = Engine(contracts, outcomes.append, **options)  # type: ignore[arg-type]
    engine.start()
    try:
        yield engine, outcomes
    finally:
        engine.stop(0.5)
        assert not engine.running
        assert engine.in_flight("c") == 0


def on_the_grid(outcomes: Outcomes, name: str, every: float) -> None:
    """Every slot from the first to the last is there, once."""
    slots = slots_of(name, 0, every)
    dues = sorted(each.due_ns for each in outcomes if each.contract == name)
    first = slots.first_from(dues[0])
    assert dues == [slots.due(first + i) for i in range(len(dues))]


def test_probes_leave_on_the_grid_whatever_answers_take() -> None:
    """Open loop: answers take four intervals, and the timeout is longer than the interval."""
    with serving(answers(0.2, OK)) as port:
        with running([contract(f"http://127.0.0.1:{port}/", every=0.05, timeout=3.0)]) as (_, outcomes):
            outcomes.wait(lambda out: len(out) >= 20)
        on_the_grid(outcomes, "c", 0.05)
    assert all(each.failure is None for each in outcomes.samples)
    for each in outcomes.samples:
        sound(each, 3.0)
    # More than one was on its way at a time.
    by_due = sorted(outcomes.samples, key=lambda each: each.due_ns)
    assert any(b.sent_ns < a.done_ns for a, b in pairwise(by_due))


def test_above_the_cap_slots_are_skipped_and_counted() -> None:
    with serving(silent) as port:
        one = contract(f"http://127.0.0.1:{port}/", every=0.02, timeout=0.3, most=3)
        with running([one]) as (engine, outcomes):
            outcomes.wait(lambda out: len(out.samples) >= 6 and len(out.skipped) >= 6)
            assert engine.in_flight("c") <= 3
        on_the_grid(outcomes, "c", 0.02)
    assert {each.failure for each in outcomes.samples} == {Failure.TIMEOUT}
    reasons = Count(each.reason for each in outcomes.skipped)
    assert reasons["3 probes are in flight already"] >= 6


def test_one_endpoint_cannot_hold_up_another() -> None:
    with serving(silent) as dead, serving(keeps()) as alive:
        contracts = [
            contract(f"http://127.0.0.1:{dead}/", name="dead", every=0.02, timeout=5.0),
            contract(f"http://127.0.0.1:{alive}/", name="alive", every=0.05),
        ]
        with running(contracts) as (_, outcomes):
            outcomes.wait(lambda out: sum(each.contract == "alive" for each in out) >= 10)
        on_the_grid(outcomes, "alive", 0.05)
    assert all(each.failure is None for each in outcomes.samples if each.contract == "alive")
    assert {each.reason for each in outcomes.skipped if each.contract == "dead"} <= {
        ENDED,
        "64 probes are in flight already",
    }


def test_slots_add_up_to_good_bad_and_skipped() -> None:
    """The engine and the counter together, with overdue requests and a stop in the middle of some."""
    counted: list[Tally] = []
    with serving(answers(0.15, OK)) as slow, serving(silent) as dead, serving(keeps()) as fast:
        contracts = [
            contract(
                f"http://127.0.0.1:{port}/",
                name=name,
                every=0.03,
                timeout=0.4,
                most=8,
                objectives=[objective("p", 0.1), objective("up", None)],
            )
            for name, port in (("slow", slow), ("dead", dead), ("fast", fast))
        ]
        counter = Counter(contracts, 0.2, start_ns=wall_ns())
        outcomes = Outcomes()

        def sink(outcome: Sample | Skipped) -> None:
            outcomes.append(outcome)
            counter.add(outcome)

        engine = Engine(contracts, sink, overdue=counter.overdue)
        engine.start()
        outcomes.wait(lambda out: len(out) >= 120)
        records = counter.close(wall_ns())
        engine.stop(0.05)
        records += counter.close(wall_ns() + 10_000_000_000)
    for each in contracts:
        on_the_grid(outcomes, each.name, 0.03)
        slots = sum(outcome.contract == each.name for outcome in outcomes)
        for goal in each.objectives:
            total = sum((r.tallies.get(each.key(goal), Tally()) for r in records), Tally())
            counted.append(total)
            assert total.slots == slots
    assert counted[0].good == 0  # slow: never within 100 ms
    assert counted[1].good > 0  # slow: but up
    assert counted[2].good == counted[3].good == 0
    assert counted[4].bad <= counted[4].slots // 5  # fast


def test_an_overdue_request_is_told_long_before_its_timeout() -> None:
    told: list[tuple[str, int]] = []
    with serving(silent) as port:
        one = contract(f"http://127.0.0.1:{port}/", every=0.2, timeout=20.0, objectives=[objective("p", 0.1)])
        with running([one], overdue=lambda name, due: told.append((name, due))) as (_, outcomes):
            until = time.monotonic() + 10
            while len(told) < 3 and time.monotonic() < until:
                time.sleep(0.01)
            assert not outcomes
    slots = slots_of("c", 0, 0.2)
    assert len(told) >= 3
    assert all(name == "c" and slots.due(slots.first_from(due)) == due for name, due in told)
    assert len(set(told)) == len(told)


# Connections


def connections_of(script: Callable[[socket.socket], None]) -> tuple[Callable[[socket.socket], None], list[int]]:
    """The same script, and the client's port of each connection."""
    seen: list[int] = []

    def counting(sock: socket.socket) -> None:
        seen.append(sock.getpeername()[1])
        script(sock)

    return counting, seen


def test_fresh_means_a_connection_each() -> None:
    script, seen = connections_of(keeps())
    with serving(script) as port, running([contract(f"http://127.0.0.1:{port}/")]) as (_, outcomes):
        outcomes.wait(lambda out: len(out.samples) >= 5)
    assert len(seen) >= 5
    assert {each.connection for each in outcomes.samples} == {Connection.FRESH}


def test_reuse_keeps_a_connection() -> None:
    script, seen = connections_of(keeps())
    with serving(script) as port:
        one = contract(f"http://127.0.0.1:{port}/", connection=Connection.REUSE, most=1)
        with running([one]) as (_, outcomes):
            outcomes.wait(lambda out: len(out.samples) >= 8)
    assert len(seen) == 1
    assert [each.connection for each in outcomes.samples[:3]] == ["fresh", "reuse", "reuse"]
    assert outcomes.samples[1].phases.connect == 0


def test_reuse_of_overlapping_probes_takes_a_connection_each_and_keeps_them() -> None:
    script, seen = connections_of(keeps(delay=0.12))
    with serving(script) as port:
        one = contract(f"http://127.0.0.1:{port}/", connection=Connection.REUSE, every=0.05)
        with running([one]) as (_, outcomes):
            outcomes.wait(lambda out: len(out.samples) >= 20)
    assert 2 <= len(seen) <= 6
    assert all(each.failure is None for each in outcomes.samples)


@pytest.mark.parametrize("answer", [OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), b"HTTP/1.0" + OK[8:]])
def test_a_server_that_closes_is_believed(answer: bytes) -> None:
    script, seen = connections_of(keeps(answer, times=1))
    with serving(script) as port:
        one = contract(f"http://127.0.0.1:{port}/", connection=Connection.REUSE)
        with running([one]) as (_, outcomes):
            outcomes.wait(lambda out: len(out.samples) >= 5)
    assert {(each.connection, each.failure) for each in outcomes.samples} == {(Connection.FRESH, None)}
    assert len(seen) >= 5


def test_a_kept_connection_that_was_closed_is_replaced_by_a_fresh_one() -> None:
    """Closed while idle: noticed. Closed when the request arrives: tried again, once, fresh."""

    def closes_on_second_request(sock: socket.socket) -> None:
        keeps(times=1)(sock)
        sock.recv(65536)

    for script in (keeps(times=1), closes_on_second_request):
        with serving(script) as port:
            one = contract(f"http://127.0.0.1:{port}/", connection=Connection.REUSE)
            with running([one]) as (_, outcomes):
                outcomes.wait(lambda out: len(out.samples) >= 6)
        assert {(each.connection, each.failure) for each in outcomes.samples} == {(Connection.FRESH, None)}


def test_reuse_under_tls_keeps_the_connection_and_its_stamps(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    script, seen = connections_of(keeps())
    with serving(script, context=authority.issue("x").server()) as port:
        where = Endpoint(f"https://localhost:{port}/", tls=TlsTerms(ca=authority.file))
        one = contract("", endpoint=where, connection=Connection.REUSE, most=1)
        with running([one]) as (_, outcomes):
            outcomes.wait(lambda out: len(out.samples) >= 6)
    assert len(seen) == 1
    assert [each.connection for each in outcomes.samples[:3]] == ["fresh", "reuse", "reuse"]
    assert {each.failure for each in outcomes.samples} == {None}
    assert outcomes.samples[0].phases.tls > 0 == outcomes.samples[1].phases.tls
    if sys.platform == "linux":
        assert any(each.stamped for each in outcomes.samples[1:])


def test_a_fresh_connection_is_not_tried_again() -> None:
    script, seen = connections_of(lambda sock: sock.recv(65536) and None)  # type: ignore[arg-type,return-value]
    with serving(script) as port:
        one = contract(f"http://127.0.0.1:{port}/", connection=Connection.REUSE, every=0.1)
        with running([one]) as (_, outcomes):
            outcomes.wait(lambda out: len(out.samples) >= 3)
            time.sleep(0.05)
            assert len(seen) <= len(outcomes.samples) + 1
    assert {each.failure for each in outcomes.samples} == {Failure.PROTOCOL}


# Names


def test_a_resolver_that_never_answers_holds_up_nobody() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute,
        serving(keeps()) as port,
    ):
        mute.bind(("127.0.0.1", 0))
        server, udp = ["127.0.0.1"], mute.getsockname()[1]
        contracts = [
            contract("http://model.example/", name="lost", every=0.05, timeout=0.3),
            contract(f"http://127.0.0.1:{port}/", name="found"),
            contract(f"http://localhost:{port}/", name="hosts"),
        ]
        options = {"names": lambda reactor: CaresNames(reactor.call, server, udp)}
        with running(contracts, **options) as (_, outcomes):
            outcomes.wait(lambda out: len([1 for each in out.samples if each.contract == "lost"]) >= 5)
    lost = [each for each in outcomes.samples if each.contract == "lost"]
    for each in lost:
        sound(each, 0.3)
    assert {each.failure for each in lost} == {Failure.TIMEOUT}
    assert "looking up" in lost[0].detail
    rest = [each for each in outcomes.samples if each.contract != "lost"]
    assert {each.failure for each in rest} == {None}
    assert {each.contract for each in rest} == {"found", "hosts"}


# Life


def test_reload_leaves_unchanged_contracts_alone() -> None:
    with serving(keeps()) as port, serving(answers(OK)) as other:
        url = f"http://127.0.0.1:{port}/"
        same = contract(url, name="same", connection=Connection.REUSE, most=1)
        with running([same, contract(url, name="gone"), contract(url, name="moved")]) as (engine, outcomes):
            outcomes.wait(lambda out: len(out) >= 9)
            engine.replace(
                [
                    contract(url, name="same", connection=Connection.REUSE, most=1),
                    contract(f"http://127.0.0.1:{other}/", name="moved"),
                    contract(url, name="new"),
                ]
            )
            replaced, start = wall_ns(), len(outcomes)
            outcomes.wait(lambda out: len(out) >= start + 16)
        later = Count(each.contract for each in outcomes if each.due_ns > replaced)
        on_the_grid(outcomes, "same", 0.05)
    assert later["gone"] == 0
    assert min(later["same"], later["moved"], later["new"]) >= 3
    same_used = [each.connection for each in outcomes.samples if each.contract == "same"]
    assert same_used.count(Connection.FRESH) == 1  # its kept connection, too, was left alone


def test_a_reload_that_cannot_probe_changes_nothing() -> None:
    with serving(keeps()) as port:
        with running([contract(f"http://127.0.0.1:{port}/")]) as (engine, outcomes):
            bad = Endpoint("https://127.0.0.1/", tls=TlsTerms(ca="/nowhere.pem"))
            with pytest.raises(ProbeError):
                engine.replace([contract("", name="other", endpoint=bad)])
            start = len(outcomes)
            outcomes.wait(lambda out: len(out) >= start + 3)
        on_the_grid(outcomes, "c", 0.05)


def test_a_secret_that_is_missing_at_the_start_is_an_error_and_later_skips_slots() -> None:
    values = ["one", "two"]

    def secrets(ref: SecretRef) -> str:
        if values:
            return values.pop(0)
        raise SecretError(f"{ref} is gone")

    endpoint = Endpoint("http://127.0.0.1:1/", headers={"A": SecretRef("env", "X"), "B": SecretRef("env", "Y")})
    one = contract("", endpoint=endpoint)
    Engine([one], lambda outcome: None, secrets=secrets).stop()
    with pytest.raises(SecretError, match="env:X is gone"):
        Engine([one], lambda outcome: None, secrets=secrets)


def test_an_engine_lives_once_and_closes_what_it_opened() -> None:
    before = len(os.listdir("/proc/self/fd"))
    with serving(keeps()) as port:
        for _ in range(3):
            with running([contract(f"http://localhost:{port}/", connection=Connection.REUSE)]) as (
                engine,
                outcomes,
            ):
                outcomes.wait(lambda out: len(out) >= 2)
            with pytest.raises(UsageError):
                engine.start()
            engine.stop()
    until = time.monotonic() + 5
    while len(os.listdir("/proc/self/fd")) > before + 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert len(os.listdir("/proc/self/fd")) <= before + 2
    assert sys.getswitchinterval() == pytest.approx(0.005)


def test_what_is_in_flight_at_the_end_is_waited_for_or_skipped() -> None:
    with serving(answers(0.3, OK)) as port:
        outcomes = Outcomes()
        engine = Engine([contract(f"http://127.0.0.1:{port}/", every=0.1)], outcomes.append)
        engine.start()
        until = time.monotonic() + 10
        while engine.in_flight("c") < 2 and time.monotonic() < until:
            time.sleep(0.005)
        engine.stop(5.0)
        assert len(outcomes.samples) == len(outcomes) >= 2
    on_the_grid(outcomes, "c", 0.1)


def test_a_sink_that_raises_is_survived(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[Sample | Skipped] = []

    def sink(outcome: Sample | Skipped) -> None:
        calls.append(outcome)
        raise RuntimeError("a bug of the sink")

    with serving(keeps()) as port:
        engine = Engine([contract(f"http://127.0.0.1:{port}/")], sink)
        engine.start()
        until = time.monotonic() + 10
        while len(calls) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        stats = engine.stats()
        engine.stop()
    assert stats["sink_errors_total"] >= 2
    assert stats["running"] == 1.0
    assert "a bug of the sink" in caplog.text


def test_stats_are_numbers_that_fit_together() -> None:
    with serving(keeps()) as port, running([contract(f"http://127.0.0.1:{port}/")]) as (engine, outcomes):
        outcomes.wait(lambda out: sum(isinstance(each, Sample) for each in out) >= 10)
        stats = engine.stats()
    assert all(isinstance(value, float) for value in stats.values())
    assert 9 <= stats["sent_total"] <= len(outcomes)
    assert stats["probes"] == 1.0
    assert 0 < stats["lateness_seconds_worst"] <= stats["lateness_seconds_total"]
    assert 0 < stats["lag_seconds_worst"] <= stats["lag_seconds_total"]


CHILD = """
import sys
from keeptime.model.sample import Skipped
from keeptime.observe.engine import Engine
from keeptime.clock import sleep
from tests.observe.given import contract
def sink(outcome):
    kind = "skipped" if isinstance(outcome, Skipped) else "sample"
    print(kind, outcome.due_ns, getattr(outcome, "reason", ""), flush=True)
engine = Engine([contract(sys.argv[1], every=0.05)], sink)
engine.start()
sys.stdin.read()
engine.stop()
"""


@pytest.mark.serial
def test_a_process_that_was_stopped_misses_slots_and_does_not_burst() -> None:
    with serving(keeps()) as port:
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, f"http://127.0.0.1:{port}/"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdin is not None
        lines = [child.stdout.readline() for _ in range(5)]
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(2.0)
        os.kill(child.pid, signal.SIGCONT)
        lines += [child.stdout.readline() for _ in range(60)]
        rest, _ = child.communicate(timeout=20)
    lines += rest.splitlines()
    found = sorted((int(line.split()[1]), line.split()[0]) for line in lines)
    slots = slots_of("c", 0, 0.05)
    first = slots.first_from(found[0][0])
    assert [due for due, _ in found] == [slots.due(first + i) for i in range(len(found))]
    assert 30 <= sum(kind == "skipped" for _, kind in found) <= 45
    assert any(STOPPED in line for line in lines)


@pytest.mark.serial
def test_a_busy_thread_does_not_inflate_stamped_latency() -> None:
    """Two engines at once in this process, one with the kernel's stamps and one with the program's clock."""
    ending = threading.Event()

    def spin() -> None:
        while not ending.is_set():
            sum(range(1000))

    by_kernel, by_program = Outcomes(), Outcomes()
    with serving(keeps(delay=0.01)) as port:
        one = contract(f"http://127.0.0.1:{port}/", connection=Connection.REUSE, every=0.05)
        server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            one = contract(
                f"http://127.0.0.1:{int(server.stdout.readline())}/", connection=Connection.REUSE, every=0.03
            )
            engines = [Engine([one], by_kernel.append), Engine([one], by_program.append, stamps=False)]
            threads = [threading.Thread(target=spin, daemon=True) for _ in range(2)]
            for engine in engines:
                engine.start()
            sys.setswitchinterval(0.005)
            for thread in threads:
                thread.start()
            for outcomes in (by_kernel, by_program):
                outcomes.wait(lambda out: len(out.samples) >= 60)
            ending.set()
            for engine in engines:
                engine.stop()
        finally:
            server.kill()
            server.wait()

    def typical(outcomes: Outcomes) -> float:
        times = sorted(each.done_ns - each.sent_ns for each in outcomes.samples if each.connection == "reuse")
        return times[len(times) * 3 // 4] / 1e6

    assert sum(each.stamped for each in by_kernel.samples) >= len(by_kernel.samples) * 0.9
    assert not any(each.stamped for each in by_program.samples)
    assert typical(by_kernel) < typical(by_program) - 1.0


SERVER = """
import socket, time, threading
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def serve(sock):
    while sock.recv(65536):
        time.sleep(0.01)
        sock.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


def test_a_probe_of_a_name_by_hand_and_by_the_engine_agree() -> None:
    with serving(keeps()) as port:
        by_hand = once(port, host="localhost")
        with running([contract(f"http://localhost:{port}/")]) as (_, outcomes):
            outcomes.wait(lambda out: len(out.samples) >= 1)
    assert by_hand.failure is outcomes.samples[0].failure is None
    assert outcomes.samples[0].phases.dns > 0
