"""A request that is late says where it stood, one in time says nothing: threads, a real model, a fork."""

import importlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from keeptime.middleware import Recorder, Stacks
from keeptime.middleware.late.watchdog import Watchdog
from keeptime.middleware.wsgi import KeeptimeWSGI

from .late import LATE, hottest, recorder, slow, text
from .seen import seen as counted
from .test_wsgi import JSON, application, served

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "flask_model"


def sleeping(seconds: float) -> bytes:
    time.sleep(seconds)
    return b"{}"


def slow_app(seconds: float, **more: Any) -> KeeptimeWSGI:
    return KeeptimeWSGI(
        application(lambda: (sleeping(seconds) for _ in range(1)), JSON), recorder=recorder(), **more
    )


def test_a_late_request_says_where_it_stood_and_what_is_known_of_it() -> None:
    stacks = Stacks(late=LATE)
    app = slow_app(0.3, stacks=stacks, model="digits", model_version="v2")
    trace = "0af7651916cd43dd8448eb211c80319c"
    served(app, CONTENT_LENGTH="12", HTTP_TRACEPARENT=f"00-{trace}-b7ad6b7169203331-00")
    (one,) = slow(stacks)
    assert one["latency_seconds"] >= 0.3
    assert (one["failure"], one["status"], one["weight"], one["trace"]) == ("", 200, 1.0, trace)
    assert one["attributes"] == {
        "route": "/predict/<n>", "model": "digits", "model_version": "v2", "input_bytes": "12",
    }  # fmt: skip
    top = hottest([one])
    assert top[-2].startswith("tests.middleware.test_stacks.sleeping (")
    assert top[-1] == "[waiting]" or not sys.platform.startswith("linux")
    seen = sum(each["count"] for each in one["stacks"])
    assert 1 <= seen <= (one["latency_seconds"] - LATE) * 100 + 2


def test_of_a_request_in_time_nothing_is_looked_at() -> None:
    stacks = Stacks(late=30.0)
    for _ in range(50):
        served(slow_app(0.0, stacks=stacks))
    usual = stacks.kept()
    assert stacks.looks == 0
    assert {each["why"] for each in usual} == {"usual"}
    assert 1 <= len(usual) <= 3
    assert sum(each["weight"] for each in usual) == pytest.approx(50)


def test_a_request_that_failed_is_kept_and_one_of_its_callers_fault_is_not() -> None:
    stacks = Stacks(late=30.0)
    for status in ("500 X", "504 X", "404 X"):
        served(KeeptimeWSGI(application(lambda: [b""], status=status), recorder=recorder(), stacks=stacks))
    assert sorted((each["why"], each["failure"], each["status"]) for each in stacks.kept()) == [
        ("failed", "status", 500),
        ("failed", "timeout", 504),
    ]


def test_the_application_says_more_of_it_and_no_value_of_a_variable_is_told() -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        secret = "the-patient-is-called-Doe"
        environ["keeptime.route"] = "/predict"
        environ["keeptime.attributes"] = {"batch_size": 4, "device": "cuda:0", "cache": None}
        environ["keeptime.timings"] = {"tokenize": 0.25, "wrong": "x"}
        start_response("200 OK", [("Server-Timing", 'db;desc="a";dur=53, cache;desc=hit, queue;dur=1')])
        time.sleep(0.2)
        return [secret.encode()]

    stacks = Stacks(late=LATE)
    served(KeeptimeWSGI(app, recorder=recorder(), stacks=stacks), QUERY_STRING="who=Doe", PATH_INFO="/Doe")
    (one,) = slow(stacks)
    assert one["attributes"] == {"route": "/predict", "batch_size": "4", "device": "cuda:0"}
    assert {name: one["timings"][name] for name in ("db", "queue", "tokenize")} == {
        "db": 0.053, "queue": 0.001, "tokenize": 0.25,
    }  # fmt: skip
    assert "wrong" not in one["timings"]
    assert "Doe" not in text(stacks)


def test_what_is_late_is_learnt_from_what_is_counted() -> None:
    counting = Recorder(thresholds=[0.2, 0.7])
    app = KeeptimeWSGI(application(lambda: [b""]), recorder=counting, stacks=True)
    assert app.stacks is not None
    assert app.stacks.late == 0.2
    assert KeeptimeWSGI(application(lambda: [b""]), stacks=True, late=0.3).stacks.late == 0.3  # type: ignore[union-attr]
    assert KeeptimeWSGI(application(lambda: [b""])).stacks is None


@pytest.mark.parametrize("wrong", [{"late": 1.0}, {"stacks": True, "late": 0.0}, {"stacks": Stacks(), "late": 1.0}])
def test_what_can_never_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^late: "):
        KeeptimeWSGI(application(lambda: [b""]), **wrong)


def test_many_late_at_once_are_all_seen() -> None:
    stacks = Stacks(late=LATE)
    app = slow_app(0.6, stacks=stacks)
    threads = [threading.Thread(target=served, args=(app,)) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    kept = slow(stacks)
    assert sum(each["weight"] for each in kept) == pytest.approx(12)
    assert all(each["stacks"] for each in kept)


def test_after_a_fork_the_child_has_a_watchdog_of_its_own() -> None:
    stacks = Stacks(late=LATE)
    app = slow_app(0.2, stacks=stacks)
    served(app)
    assert len(slow(stacks)) == 1
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            served(app)
            os.write(writes, text(stacks).encode())
        finally:
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as told:
        said = told.read()
    os.waitpid(child, 0)
    assert said.count("test_stacks.sleeping") >= 1
    assert said.count('"why": "slow"') == 1  # what the parent kept is the parent's


def test_a_bug_of_its_own_reaches_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Watchdog) -> float:
        raise ZeroDivisionError

    monkeypatch.setattr(Watchdog, "_step", broken)
    stacks = Stacks(late=LATE)
    monkeypatch.setattr("keeptime.middleware.wsgi.described", broken)
    served(slow_app(0.1, stacks=stacks))
    assert stacks.kept() == []


@pytest.fixture(scope="module")
def model() -> Iterator[tuple[Any, Stacks]]:
    """The example's model, in this process."""
    before = set(sys.modules)
    sys.path.insert(0, str(EXAMPLE))
    try:
        reader = importlib.import_module("model").DigitReader()
        app, stacks = importlib.import_module("serve").build(reader), Stacks(late=0.1)
        app.wsgi_app = KeeptimeWSGI(app.wsgi_app, recorder=recorder(), stacks=stacks)
        yield app.test_client(), stacks
    finally:
        sys.path.remove(str(EXAMPLE))
        for name in set(sys.modules) - before:
            if name in ("model", "serve", "faults"):
                del sys.modules[name]


def late_ones(stacks: Stacks) -> list[Mapping[str, Any]]:
    return [each for each in slow(stacks) if each["attributes"]["route"] == "/predict"]


@pytest.mark.parametrize(
    ("fault", "culprit", "leaf"),
    [
        ("inference", "faults.Work._infer", None),
        ("lock", "faults.Work.predict", "[waiting]"),
        ("gc", "faults.Work._infer", "[garbage collection]"),
        ("dependency", "faults.Features.look_up", "[waiting]"),
    ],
)
def test_a_slow_model_names_its_culprit(
    model: tuple[Any, Stacks], fault: str, culprit: str, leaf: str | None
) -> None:
    client, stacks = model
    before, wanted = len(late_ones(stacks)), 3 if fault == "gc" else 1  # it collects elsewhere, too
    client.post("/control", json={"fault": fault}).get_data()
    try:
        deadline = time.monotonic() + 30
        while len(late_ones(stacks)) < before + wanted and time.monotonic() < deadline:
            assert client.post("/predict", json={"data": "sample_input"}).get_data()
    finally:
        client.post("/control", json={"fault": None}).get_data()
    seen = late_ones(stacks)[before:]
    found, one = hottest(seen), max(seen, key=lambda each: each["timings"].get("gc", 0.0))
    assert any(frame.startswith(f"{culprit} (") for frame in found), found
    assert leaf is None or leaf in found or not sys.platform.startswith("linux")
    assert {"features", "queue", "inference"} <= one["timings"].keys()
    if fault == "gc":
        assert one["timings"]["gc"] > one["latency_seconds"] / 2


def test_a_probe_of_keeptime_is_seen_and_not_counted() -> None:
    stacks = Stacks(late=LATE)
    app = slow_app(0.2, stacks=stacks)
    served(app, HTTP_USER_AGENT="keeptime")
    (one,) = slow(stacks)
    assert any("sleeping (" in frame for frame in hottest([one]))
    assert one["attributes"] == {"route": "/predict/<n>"}
    assert counted(app.recorder) == {}
    failing = KeeptimeWSGI(application(lambda: [b""], status="500 X"), recorder=recorder(), stacks=stacks)
    served(failing, HTTP_USER_AGENT="keeptime")
    assert [each["why"] for each in stacks.kept()] == ["slow", "failed"]
    assert counted(failing.recorder) == {}
