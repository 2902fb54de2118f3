"""The parts beneath: what a thread's clock says, a fair choice of a few, names, and what is told to keeptime."""

import gzip
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dis import opmap
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType, SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.middleware import Stacks
from keeptime.middleware.late import sending
from keeptime.middleware.late.described import LONGEST, described
from keeptime.middleware.late.naming import calls, named
from keeptime.middleware.late.processor import RUNS_NATIVE, WAITS, WAITS_FOR_GIL, Look, told
from keeptime.middleware.late.reservoir import Reservoir
from keeptime.middleware.late.sending import MOST, Sending
from keeptime.middleware.late.watched import MOST_STACKS, MOST_TOLD, Seen, fewer
from keeptime.middleware.wsgi import KeeptimeWSGI
from keeptime.observe.intake.exemplars import exemplars_of
from keeptime.observe.intake.when import When

from .late import LATE, recorder
from .test_stacks import slow_app
from .test_wsgi import application, served


def standing_at(instruction: str) -> FrameType:
    code = SimpleNamespace(co_code=bytes([opmap[instruction], 0]))
    return cast(FrameType, SimpleNamespace(f_code=code, f_lasti=0))


@pytest.mark.parametrize(
    ("ran", "instruction", "said"),
    [
        (0.0, "CALL", WAITS),
        (0.0, "RESUME", WAITS_FOR_GIL),
        (0.0, "JUMP_BACKWARD", WAITS_FOR_GIL),
        (1.0, "CALL", RUNS_NATIVE),
        (1.0, "BINARY_OP", RUNS_NATIVE),
        (1.0, "JUMP_BACKWARD", None),
        (0.4, "CALL", None),
        (None, "CALL", None),
    ],
)
def test_a_thread_ran_or_waited_as_its_own_clock_says(
    ran: float | None, instruction: str, said: str | None
) -> None:
    top = standing_at(instruction)
    before, now = Look(10.0, 5.0, top), Look(11.0, None if ran is None else 5.0 + ran, top)
    assert told(before, now, top) == said
    assert told(None, now, top) is None


def test_native_code_is_told_only_where_the_same_call_goes_on() -> None:
    one, other = standing_at("CALL"), standing_at("CALL")
    assert told(Look(1.0, 1.0, one), Look(2.0, 2.0, other), other) is None


@given(st.integers(0, 400), st.integers(1, 20))
def test_a_few_of_many_stand_for_all(count: int, most: int) -> None:
    one: Reservoir[int] = Reservoir(most)
    for number in range(count):
        if one.wanted():
            one.keep(lambda number=number: number)  # type: ignore[misc]
    kept, weight = one.take()
    assert len(kept) == len(set(kept)) == min(count, most)
    assert weight * len(kept) == pytest.approx(count)
    assert one.take() == ([], 0.0)


def test_each_of_many_is_as_likely_as_any_other() -> None:
    halves = [0, 0]
    for _ in range(600):
        one: Reservoir[int] = Reservoir(3)
        for number in range(100):
            if one.wanted():
                one.keep(lambda number=number: number)  # type: ignore[misc]
        for number in one.take()[0]:
            halves[number // 50] += 1
    assert sum(halves) == 1800
    assert abs(halves[0] - 900) < 150  # seven standard deviations


def test_distinct_stacks_are_bounded_and_the_rare_ones_are_told_by_their_callers() -> None:
    seen = Seen(0.0, 0.0)
    for number in range(3 * MOST_STACKS):
        seen.add(["app", "infer", f"step {number}"], 2)
        seen.add(["app", "infer", "hot"], 1)
    assert len(seen.stacks) <= MOST_STACKS
    told = {str(each["stack"]): int(each["count"]) for each in seen.told()}
    assert len(told) <= MOST_TOLD
    assert sum(told.values()) == 9 * MOST_STACKS
    assert told["app;infer;hot"] == 3 * MOST_STACKS
    assert all(stack.startswith("app;infer") for stack in told)
    seen.add(["x" * 100] * 200, 1)
    assert max(map(len, seen.stacks)) <= 8000


@given(st.dictionaries(st.text("ab;", min_size=1, max_size=9), st.integers(1, 9), max_size=60), st.integers(2, 20))
def test_fewer_stacks_count_as_much(stacks: dict[str, int], most: int) -> None:
    found = fewer(stacks, most)
    assert len(found) <= most + 1
    assert sum(found.values()) == sum(stacks.values())


def test_what_is_told_is_what_the_daemon_takes() -> None:
    stacks = Stacks(late=LATE)
    served(slow_app(0.15, stacks=stacks))
    for status in ("500 X", "504 X"):
        served(KeeptimeWSGI(application(lambda: [b""], status=status), recorder=recorder(), stacks=stacks))
    kept = stacks.kept()
    when = When.at(round(kept[-1]["at"] * 1e9), 10.0)
    taken, refused = exemplars_of("sentiment", json.dumps({"exemplars": kept}).encode(), when)
    assert refused.count == 0, refused.first
    assert [each.why.value for each in taken] == ["slow", "failed", "failed"]
    assert [each.failure for each in taken] == ["", "status", "timeout"]
    assert dict(taken[0].stacks) == {each["stack"]: each["count"] for each in kept[0]["stacks"]}


def test_a_frame_is_named_by_its_module_and_its_place() -> None:
    frame = sys._getframe()
    line = frame.f_lineno + 1
    said = named(frame)
    name = "tests.middleware.test_stacks_parts.test_a_frame_is_named_by_its_module_and_its_place"
    assert said == f"{name} (tests/middleware/test_stacks_parts.py:{line})"
    odd = compile("import sys\nframe = sys._getframe()", "<a;b\x1bc>", "exec")
    found: dict[str, Any] = {"__name__": "x"}
    exec(odd, found)
    assert named(found["frame"]) == "x.<module> (<a,b c>:2)"


def test_a_deep_stack_keeps_what_is_innermost() -> None:
    def deep(left: int) -> list[str]:
        return calls(sys._getframe()) if left == 0 else deep(left - 1)

    found = deep(200)
    assert len(found) == 64
    assert len(set(found[:-1])) == 1


def _unpacked(body: bytes) -> bytes:
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


class Daemon:
    """Takes what is posted; `status` is what it answers."""

    def __init__(self) -> None:
        self.status, self.taken, self.paths = 200, [], set[str]()  # type: ignore[var-annotated]

    @contextmanager
    def listening(self) -> Iterator[str]:
        daemon = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                found = json.loads(_unpacked(self.rfile.read(int(self.headers["Content-Length"]))))
                daemon.paths.add(self.path)
                if daemon.status == 200:
                    daemon.taken += found["exemplars"]
                self.send_response(daemon.status)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/api/v1/push/sentiment"
        finally:
            server.shutdown()
            server.server_close()


def test_what_is_kept_is_told_to_keeptime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "EVERY", 0.05)
    daemon, came = Daemon(), threading.Event()
    with daemon.listening() as url:
        stacks = Stacks(late=LATE, push=url)
        served(slow_app(0.15, stacks=stacks))
        kept = stacks.kept()
        for _ in range(200):
            if daemon.taken:
                break
            came.wait(0.05)
    assert daemon.paths == {"/api/v1/exemplars/sentiment"}
    assert daemon.taken == json.loads(json.dumps(kept))
    assert stacks.lost == 0
    keys = {
        "at",
        "latency_seconds",
        "failure",
        "status",
        "weight",
        "why",
        "attributes",
        "timings",
        "trace",
        "stacks",
    }
    assert set(daemon.taken[0]) == keys


def test_what_keeptime_does_not_take_is_kept_bounded_and_counted() -> None:
    daemon = Daemon()
    with daemon.listening() as url:
        one = Sending(url, None, every=3600.0)
        daemon.status = 503
        one.give([{"n": number} for number in range(MOST + 7)])
        assert one.lost == 7
        assert not one.post()
        daemon.status = 200
        assert one.post()
        assert [each["n"] for each in daemon.taken] == list(range(7, 27))
        daemon.status = 404
        assert one.post()
        assert one.lost == 7 + 20
        assert "404" in one.problem
    assert not one.post()
    assert one.lost == 7 + 20


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://127.0.0.1/api/v1/push/", "ftp://x/api/v1/push/a"])
def test_an_address_that_can_never_work_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected|none"):
        Stacks(push=url)


def test_the_daemon_being_away_is_nothing_to_a_request() -> None:
    stacks = Stacks(late=LATE, push="http://127.0.0.1:9/api/v1/push/sentiment")
    assert b"{}" in served(slow_app(0.1, stacks=stacks))
    assert len(stacks.kept()) == 1


def test_a_process_that_can_have_no_thread_answers_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    stacks = Stacks(late=LATE)
    app = slow_app(0.0, stacks=stacks)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", none)
        served(app)
    assert stacks.looks == 0
    served(slow_app(0.3, stacks=stacks))
    assert stacks.looks > 0, "the next request begins it"


def test_no_length_and_no_label_is_kept_whole_whatever_it_is() -> None:
    found = described({"route": "x" * 999}, {}, "9" * 999, (), "").attributes
    assert found == {"route": "x" * LONGEST}
