"""The past on the port: what is null and what is 0, what is refused, what need not be sent again."""

import json
from dataclasses import replace

import pytest

from keeptime.errors import StoreUnavailable
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.model.phases import PHASES, PhaseSums
from keeptime.model.series import Bucket
from keeptime.model.sketch import Sketch
from keeptime.model.tally import Tally
from keeptime.testing.past import FakePast
from keeptime.testing.showable import NOW, FakeShowable, contract, view
from tests.web.conftest import Serve

KEY = ObjectiveKey("sentiment-latency", "p99")
SERIES = "/api/v1/series?contract=sentiment-latency&objective=p99"
LATENCY = "/api/v1/latency?contract=sentiment-latency"
DAY = 86_400


def sketch(*values: float) -> Sketch:
    made = Sketch()
    for value in values:
        made.add(value)
    return made


def daemon() -> FakeShowable:
    counted: tuple[Bucket[Tally], ...] = (
        Bucket(100, 106, 6, Tally(9, 1, 2, 0, 3)),
        Bucket(106, 112, 3, Tally()),
        Bucket(112, 118, 0, None),
    )
    took: tuple[Bucket[Sketch], ...] = (
        Bucket(100, 106, 6, sketch(0.3, 0.3, 0.9, 3.0)),
        Bucket(106, 112, 6, Sketch()),
        Bucket(112, 114, 0, None),
    )
    past = FakePast({KEY: counted}, {SignalKey("sentiment-latency", Signal.REQUESTS): took})
    return FakeShowable([view(contract())], past=past)


def test_no_events_are_zero_and_what_was_not_lived_through_is_null(serve: Serve) -> None:
    said = json.loads(serve(daemon()).get(SERIES).body)
    points = said.pop("points")
    assert said == {
        "contract": "sentiment-latency", "objective": "p99", "target": 0.99, "threshold_seconds": 0.5,
        "step_seconds": 60.0,
    }  # fmt: skip
    assert points[0] == {
        "start": 1000, "end": 1060, "lived": 1, "good": 9, "bad": 1, "skipped": 2, "excluded": 3, "sli": 0.9,
    }  # fmt: skip
    assert (points[1]["lived"], points[1]["good"], points[1]["sli"]) == (0.5, 0, None)
    assert (points[2]["lived"], points[2]["good"], points[2]["bad"], points[2]["sli"]) == (0, None, None, None)


def test_each_request_is_in_the_band_that_holds_it(serve: Serve) -> None:
    said = json.loads(serve(daemon()).get(LATENCY).body)
    first, second, third = said["points"]
    assert (first["requests"], second["requests"], third["requests"]) == (4, 0, None)
    counted = dict(zip(map(tuple, said["bands"]), first["bands"], strict=True))
    for value, count in ((0.3, 2), (0.9, 1), (3.0, 1)):
        assert [held for (low, high), held in counted.items() if low < value <= high] == [count]
    assert sum(first["bands"]) == 4
    assert sum(second["bands"]) == 0
    assert third["bands"] is None
    assert all(high == pytest.approx(low * 2**0.5) for low, high in said["bands"])
    assert first["p50"]["low"] < 0.3 <= first["p50"]["high"]
    assert second["p50"] is None
    assert said["thresholds_seconds"] == [0.5]


def test_the_range_is_what_was_asked_for_or_the_last_day(serve: Serve) -> None:
    shown = daemon()
    where = serve(shown)
    assert where.get(SERIES).status == 200
    assert where.get(f"{SERIES}&start=1000&end=2000.5&points=7").status == 200
    assert where.get(f"{LATENCY}&signal=first_token&end=1000").status == 200
    assert shown.past.asked == [
        (KEY, NOW - DAY, NOW, 300),
        (KEY, 1000.0, 2000.5, 7),
        (SignalKey("sentiment-latency", Signal.FIRST_TOKEN), 0.0, 1000.0, 300),
    ]


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        (f"{SERIES}&points=1", 400, "2 to 2000"),
        (f"{SERIES}&points=2001", 400, "2 to 2000"),
        (f"{SERIES}&points=%C2%B2", 400, "2 to 2000"),
        (f"{SERIES}&start=nan", 400, "Unix seconds"),
        (f"{SERIES}&end=yesterday", 400, "Unix seconds"),
        (f"{SERIES}&start=1e300", 400, "Unix seconds"),
        (f"{SERIES}&start=-1", 400, "Unix seconds"),
        (f"{SERIES}&start=20&end=20", 400, "before the end"),
        (f"{LATENCY}&signal=smoke", 400, "first_token"),
        (f"{LATENCY}&points=", 400, "2 to 2000"),
        ("/api/v1/series?contract=sentiment-latency&objective=none", 404, "p99"),
        ("/api/v1/series?contract=sentiment-latency", 404, "p99"),
        ("/api/v1/series", 404, "contract"),
        ("/api/v1/latency?contract=nobody", 404, "nobody"),
    ],
)
def test_what_means_nothing_is_refused(serve: Serve, asked: str, status: int, said: str) -> None:
    answer = serve(daemon()).get(asked)
    assert answer.status == status
    assert said in json.loads(answer.body)["error"]


@pytest.mark.parametrize("path", [SERIES, LATENCY])
def test_what_did_not_change_is_not_sent_again(serve: Serve, path: str) -> None:
    shown = daemon()
    where = serve(shown)
    whole = where.get(path)
    assert whole.headers["Cache-Control"] == "private, no-cache", "it reaches into the present"
    again = where.get(path, If_None_Match=f'"other", {whole.headers["ETag"]}')
    assert (again.status, again.body) == (304, b"")
    past = where.get(f"{path}&end={NOW - 3600}")
    assert past.headers["Cache-Control"] == "private, max-age=3600"
    shown.past = replace(shown.past, counted={}, took={})
    assert where.get(path, If_None_Match=whole.headers["ETag"]).status == 200


@pytest.mark.parametrize("path", [SERIES, LATENCY])
def test_a_store_that_cannot_be_read_is_said(serve: Serve, path: str) -> None:
    shown = replace(daemon(), past=FakePast(error=StoreUnavailable("the disk is full")))
    answer = serve(shown).get(path)
    assert answer.status == 503
    assert "the disk is full" in json.loads(answer.body)["error"]


def test_phases_are_means_of_the_probes_that_succeeded(serve: Serve) -> None:
    sums = PhaseSums(4, tuple(each * 4_000_000 for each in range(len(PHASES))))
    past = FakePast(
        spent={"sentiment-latency": (Bucket(0, 6, 6, sums), Bucket(6, 12, 6, PhaseSums()), Bucket(12, 18, 0, None))}
    )
    daemon = FakeShowable([view(contract())], past=past)
    found = json.loads(serve(daemon).get("/api/v1/phases?contract=sentiment-latency").body)
    assert found["step_seconds"] == 60
    first, idle, unseen = found["points"]
    assert first["probes"] == 4
    assert first["seconds"] == {name: each * 0.001 for each, name in enumerate(PHASES)}
    assert (idle["probes"], idle["seconds"]) == (0, None)
    assert (unseen["probes"], unseen["seconds"]) == (None, None)
