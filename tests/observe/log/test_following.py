"""A log is followed whatever becomes of its file, and a burst in it holds up nothing."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from keeptime.clock import SystemClock
from keeptime.model.sample import Failure, Sample
from keeptime.observe.log.follower import STEP, LogFollower
from keeptime.observe.log.tail import LINGER_NS, MOST_LEFT, PIECE, Tail

from .given import contract

SECOND = 10**9
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


def _lines(tail: Tail, now: int = 0) -> list[str]:
    found: list[str] = []
    while True:
        got = tail.look(now)
        found += [line.decode() for line in got.lines]
        if not got.more:
            return found


def _add(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_it_begins_at_the_end_and_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("old\nhalf of an ol")
    tail = Tail(str(path), from_start=False)
    assert _lines(tail) == []
    _add(path, "d one\nnew\npart")
    assert _lines(tail) == ["new"]
    _add(path, "ial\n")
    assert _lines(tail) == ["partial"]


def test_it_can_begin_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("one\ntwo\n")
    assert _lines(Tail(str(tmp_path / "log"), from_start=True)) == ["one", "two"]


def test_a_file_that_comes_later_is_read_from_its_start(tmp_path: Path) -> None:
    tail = Tail(str(tmp_path / "log"), from_start=False)
    with pytest.raises(FileNotFoundError):
        tail.look(0)
    (tmp_path / "log").write_text("one\n")
    assert _lines(tail) == ["one"]


def test_renamed_and_created_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("")
    tail = Tail(str(path), from_start=False)
    _lines(tail)
    _add(path, "one\n")
    path.rename(tmp_path / "log.1")
    assert _lines(tail) == ["one"]
    path.write_text("three\n")
    _add(tmp_path / "log.1", "two\n")
    assert sorted(_lines(tail)) == ["three", "two"]
    _add(tmp_path / "log.1", "written by one that has not heard\n")
    assert _lines(tail, LINGER_NS - 1) == ["written by one that has not heard"]
    assert _lines(tail, 2 * LINGER_NS) == []
    _add(tmp_path / "log.1", "too late\n")
    _add(path, "four\n")
    assert _lines(tail, 2 * LINGER_NS) == ["four"]


def test_cut_in_place(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\ntwo")
    tail = Tail(str(path), from_start=True)
    assert _lines(tail) == ["one"]
    os.truncate(path, 0)
    _add(path, "3\n")
    assert _lines(tail) == ["3"]


def test_cut_in_place_and_grown_beyond_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\ntwo\n")
    tail = Tail(str(path), from_start=True)
    _lines(tail)
    path.write_text("three, which is longer\nfour\n")
    assert _lines(tail) == ["three, which is longer", "four"]


def test_cut_under_a_writer_that_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as file:
        file.write("one\n" * 1000)
        file.flush()
        tail = Tail(str(path), from_start=False)
        _lines(tail)
        os.truncate(path, 0)
        file.write("two\n")
        file.flush()
        assert _lines(tail) == ["two"]


def test_a_symbolic_link_that_is_switched(tmp_path: Path) -> None:
    link = tmp_path / "log"
    (tmp_path / "a").write_text("a1\n")
    (tmp_path / "b").write_text("b1\n")
    link.symlink_to("a")
    tail = Tail(str(link), from_start=True)
    assert _lines(tail) == ["a1"]
    (tmp_path / "next").symlink_to("b")
    (tmp_path / "next").replace(link)
    _add(tmp_path / "a", "a2\n")
    assert sorted(_lines(tail)) == ["a2", "b1"]


def test_many_files_one_after_another_leave_no_descriptors(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("0\n")
    tail = Tail(str(path), from_start=True)
    found = _lines(tail)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(1, 30):
        path.rename(tmp_path / f"log.{number}")
        path.write_text(f"{number}\n")
        found += _lines(tail)
    assert found == [str(number) for number in range(30)]
    assert len(os.listdir("/proc/self/fd")) <= before + MOST_LEFT + 1
    tail.close()
    assert len(os.listdir("/proc/self/fd")) < before


def test_a_line_without_an_end_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("good\n" + "x" * (3 * PIECE) + "\nmore\n")
    tail = Tail(str(path), from_start=True)
    lost = 0
    found: list[bytes] = []
    for _ in range(10):
        got = tail.look(0)
        found += got.lines
        lost += got.counts.get("too_long", 0)
    assert (found, lost) == ([b"good", b"more"], 1)


@pytest.mark.parametrize("made", [lambda path: path.mkdir(), lambda path: os.mkfifo(path)])
def test_what_is_no_file_is_a_problem_and_nothing_hangs(tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path / "log")
    with pytest.raises(OSError, match="not a regular file"):
        Tail(str(tmp_path / "log"), from_start=True).look(0)


LINE = '{{"took": 12, "status": 200, "n": {number}}}\n'
LOG = "{path: log, format: json, fields: {latency: took, unit: ms}}"
AT_START = LOG.replace("}}", "}, from: start}")


async def _until(true: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


def _follower(folder: Path, log: str, samples: list[Sample]) -> LogFollower:
    return LogFollower([contract(log, folder)], samples.append, SystemClock())


def test_a_burst_holds_up_nothing(tmp_path: Path) -> None:
    asyncio.run(_a_burst_holds_up_nothing(tmp_path))


async def _a_burst_holds_up_nothing(tmp_path: Path) -> None:
    path, samples = tmp_path / "log", []
    path.write_text("")
    follower = _follower(tmp_path, AT_START, samples)
    follower.start()
    count = 20_000
    _add(path, "".join(LINE.format(number=number) for number in range(count)))
    largest = seen = 0
    async with asyncio.timeout(20):
        while seen < count:
            await asyncio.sleep(0)
            largest, seen = max(largest, len(samples) - seen), len(samples)
    await follower.stop()
    assert largest <= STEP  # then others have their turn
    assert follower.views("c")[0].requests == count


def test_refused_lines_are_counted_and_a_missing_file_is_tried_again(tmp_path: Path) -> None:
    asyncio.run(_refused_lines_are_counted_and_a_missing_file_is_tried_again(tmp_path))


async def _refused_lines_are_counted_and_a_missing_file_is_tried_again(tmp_path: Path) -> None:
    samples: list[Sample] = []
    follower = _follower(tmp_path, LOG, samples)
    follower.start()
    await _until(lambda: follower.views("c")[0].problem == "No such file or directory")
    (tmp_path / "log").write_text("nonsense\n" * 3 + LINE.format(number=1))
    await _until(lambda: len(samples) == 1)
    await follower.stop()
    (view,) = follower.views("c")
    assert (view.results["malformed"], view.results["ok"], view.problem) == (3, 1, "")
    assert view.results["failed"] >= 1
    assert samples[0].latency_ns == 12_000_000


def test_a_bug_ends_no_log(tmp_path: Path) -> None:
    asyncio.run(_a_bug_ends_no_log(tmp_path))


async def _a_bug_ends_no_log(tmp_path: Path) -> None:
    samples: list[Sample] = []
    (tmp_path / "log").write_text("")

    def count(sample: Sample) -> None:
        samples.append(sample)
        if len(samples) == 1:
            raise ZeroDivisionError

    follower = LogFollower([contract(AT_START, tmp_path)], count, SystemClock())
    follower.start()
    _add(tmp_path / "log", LINE.format(number=1))
    await _until(lambda: "a bug of keeptime" in follower.views("c")[0].problem)
    _add(tmp_path / "log", LINE.format(number=2))
    await _until(lambda: len(samples) == 2 and follower.views("c")[0].problem == "")
    await follower.stop()


def test_a_log_that_did_not_change_is_followed_on_and_another_is_not(tmp_path: Path) -> None:
    asyncio.run(_a_log_that_did_not_change_is_followed_on_and_another_is_not(tmp_path))


async def _a_log_that_did_not_change_is_followed_on_and_another_is_not(tmp_path: Path) -> None:
    samples: list[Sample] = []
    (tmp_path / "log").write_text(LINE.format(number=1))
    follower = _follower(tmp_path, AT_START, samples)
    follower.start()
    await _until(lambda: len(samples) == 1)
    await follower.prepare([contract(AT_START, tmp_path)])()
    await asyncio.sleep(0.6)
    assert len(samples) == 1
    await follower.prepare([contract(AT_START.replace("log", "other"), tmp_path)])()
    (tmp_path / "other").write_text(LINE.format(number=2) * 2)
    await _until(lambda: len(samples) == 3)
    await follower.prepare([])()
    assert follower.views("c") == []
    await follower.stop()


def test_a_log_that_moves_in_its_contract_or_is_read_otherwise_is_not_counted_again(tmp_path: Path) -> None:
    asyncio.run(_a_log_that_moves_in_its_contract_or_is_read_otherwise_is_not_counted_again(tmp_path))


async def _a_log_that_moves_in_its_contract_or_is_read_otherwise_is_not_counted_again(tmp_path: Path) -> None:
    samples: list[Sample] = []
    for name in ("log", "other"):
        (tmp_path / name).write_text(LINE.format(number=1))
    first = contract(AT_START, tmp_path)
    more = contract(AT_START.replace("log", "other"), tmp_path).traffic
    follower = LogFollower([first], samples.append, SystemClock())
    follower.start()
    await _until(lambda: len(samples) == 1)
    await follower.prepare([replace(first, traffic=(*more, *first.traffic))])()
    await _until(lambda: len(samples) == 2)
    changed = contract(AT_START.replace("unit: ms", "unit: s"), tmp_path).traffic
    await follower.prepare([replace(first, traffic=(*changed, *more))])()
    await asyncio.sleep(0.6)
    assert len(samples) == 2
    _add(tmp_path / "log", LINE.format(number=2))
    await _until(lambda: len(samples) == 3)
    await follower.stop()
    assert [round(each.latency_ns / 1e9, 3) for each in samples] == [0.012, 0.012, 12.0]


def test_a_real_nginx_that_rotates(tmp_path: Path) -> None:
    asyncio.run(_a_real_nginx_that_rotates(tmp_path))


async def _a_real_nginx_that_rotates(tmp_path: Path) -> None:
    door = tmp_path / "door"
    (tmp_path / "n.conf").write_text(
        f"""
        daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;
        events {{ worker_connections 64; }}
        http {{
          log_format timed '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                           '"$http_referer" "$http_user_agent" $request_time';
          access_log {tmp_path}/log timed; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;
          fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;
          server {{
            listen unix:{door};
            location / {{ return 200 "fine"; }}
            location /broken {{ return 503; }}
          }}
        }}"""
    )
    samples: list[Sample] = []
    follower = _follower(tmp_path, "{path: log, format: nginx, from: start}", samples)
    server = subprocess.Popen(
        [NGINX, "-c", str(tmp_path / "n.conf"), "-p", str(tmp_path)], stderr=subprocess.DEVNULL
    )
    try:
        follower.start()
        await asyncio.to_thread(_asked, door, "/predict/42?q=a%20b")
        await _until(lambda: len(samples) >= 1)
        (tmp_path / "log").rename(tmp_path / "log.1")
        await asyncio.to_thread(_asked, door, "/broken")
        server.send_signal(signal.SIGUSR1)  # open the logs anew
        await _until((tmp_path / "log").exists)
        await asyncio.to_thread(_asked, door, "/last")
        await _until(lambda: len(samples) >= 3)
    finally:
        server.terminate()
        server.wait()
        await follower.stop()
    told = {(each.attributes["path"], each.status, each.failure) for each in samples}
    assert told == {("/predict/*", 200, None), ("/broken", 503, Failure.STATUS), ("/last", 200, None)}
    assert all(each.attributes["method"] == "GET" and 0 <= each.latency_ns < 10 * SECOND for each in samples)
    assert all(abs(each.done_ns - time.time_ns()) < 120 * SECOND for each in samples)


def _asked(door: Path, path: str) -> None:
    """A port can be taken by another test; this door cannot."""
    deadline = time.monotonic() + 20
    while True:
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                sock.connect(str(door))
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
                continue
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            while sock.recv(4096):
                pass
            return
