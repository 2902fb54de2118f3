"""Silences and acknowledgements over the port: who asks for what, and how it is shown."""

import json
from dataclasses import replace

import pytest

from keeptime.app.quieting import Impossible
from keeptime.errors import KeeptimeError, StoreError
from keeptime.model.ack import Ack
from keeptime.model.key import ObjectiveKey
from keeptime.model.silence import Silence
from keeptime.testing.showable import NOW, FakeShowable, contract, view
from tests.web.conftest import Serve
from tests.web.test_outbox import post

SILENCES, END, ACKS = "/api/v1/silences", "/api/v1/silences/end", "/api/v1/acks"
WANTED = {"contract": "sentiment-latency", "author": "ann", "reason": "moving hosts", "ends": NOW + 60}
KEY = ObjectiveKey("sentiment-latency", "p99")


def test_a_silence_is_made_listed_and_ended(serve: Serve) -> None:
    daemon = FakeShowable([view(contract())])
    where = serve(daemon)
    answer = post(where, WANTED | {"objective": "p99"}, SILENCES)
    made = json.loads(answer.body)["silence"]
    assert (answer.status, made["id"], made["objective"], made["state"]) == (200, 1, "p99", "active")
    (listed,) = json.loads(where.get(SILENCES).body)["silences"]
    assert listed == made
    ended = json.loads(post(where, {"id": 1, "author": "bob", "reason": "done"}, END).body)["silence"]
    assert (ended["state"], ended["ended_by"], ended["ended_why"]) == ("over", "bob", "done")
    assert json.loads(where.get(SILENCES).body)["silences"] == []
    assert len(json.loads(where.get(f"{SILENCES}?all=true").body)["silences"]) == 1


@pytest.mark.parametrize(
    ("path", "posted"),
    [
        (SILENCES, {}),
        (SILENCES, {**WANTED, "author": ""}),
        (SILENCES, {**WANTED, "reason": " "}),
        (SILENCES, {**WANTED, "reason": "a\nb"}),
        (SILENCES, {**WANTED, "ends": "tomorrow"}),
        (SILENCES, {**WANTED, "ends": True}),
        (SILENCES, {**WANTED, "ends": 1e300}),
        (SILENCES, {**WANTED, "begins": -1}),
        (SILENCES, {**WANTED, "until": 1}),
        (END, {"id": "1", "author": "ann"}),
        (END, {"id": 1}),
        (ACKS, {"contract": "sentiment-latency"}),
        (ACKS, {"author": "ann"}),
        (ACKS, [WANTED]),
        (f"{SILENCES}?all=maybe", None),
    ],
)
def test_what_means_nothing_changes_nothing(serve: Serve, path: str, posted: object) -> None:
    daemon = FakeShowable([view(contract())])
    where = serve(daemon)
    answer = where.get(path) if posted is None else post(where, posted, path)
    assert answer.status == 400, answer.text
    assert (daemon.quieting.silences, daemon.quieting.acks) == ([], [])


@pytest.mark.parametrize(
    ("error", "status"), [(Impossible("no contract 'x' is kept"), 409), (StoreError("full"), 503)]
)
def test_what_cannot_be_says_why(serve: Serve, error: KeeptimeError, status: int) -> None:
    daemon = FakeShowable([view(contract())])
    daemon.quieting.wrong = error
    where = serve(daemon)
    for path, posted in ((SILENCES, WANTED), (END, {"id": 1, "author": "ann"}), (ACKS, WANTED)):
        wanted = {"contract": "x", "author": "ann"} if path == ACKS else posted
        answer = post(where, wanted, path)
        assert (answer.status, json.loads(answer.body)["error"]) == (status, str(error))


def test_an_alert_is_taken_on(serve: Serve) -> None:
    daemon = FakeShowable([view(contract())])
    where = serve(daemon)
    posted = {"contract": "sentiment-latency", "objective": "p99", "author": "ann", "note": "on it"}
    (ack,) = json.loads(post(where, posted, ACKS).body)["acks"]
    assert (ack["objective"], ack["author"], ack["note"]) == ("p99", "ann", "on it")
    assert json.loads(where.get(ACKS).body)["acks"] == [ack]


def test_both_are_on_the_page_in_the_api_and_in_the_metrics(serve: Serve) -> None:
    daemon = FakeShowable([view(contract())])
    daemon.quieting.silences = [
        Silence(1, "sentiment-latency", "", "ann", "<b>moving</b>", NOW - 60, NOW + 60),
        Silence(2, "sentiment-latency", "", "bob", "later", NOW + 60, NOW + 90),
    ]
    daemon.quieting.acks = [Ack(KEY, NOW - 600, "bob", "on it", NOW - 60)]
    where = serve(daemon)
    page = where.get("/contracts/sentiment-latency").text
    assert "operators silenced</b> by ann until" in page
    assert "&lt;b&gt;moving&lt;/b&gt;" in page
    assert "acknowledged</b> by bob since" in page
    daemon.quieting.silences[0] = replace(daemon.quieting.silences[0], ends=NOW + 3 * 86_400)
    assert "by ann until 2027-01-18 08:00 UTC" in where.get("/contracts/sentiment-latency").text, (
        "not the time of day alone"
    )
    daemon.quieting.silences[0] = replace(daemon.quieting.silences[0], ends=NOW + 60)
    (one,) = json.loads(where.get("/api/v1/contracts").body)["contracts"][0]["objectives"]
    assert one["silence"] == {"id": 1, "author": "ann", "reason": "<b>moving</b>", "ends": NOW + 60}
    assert one["acknowledged"] == {"author": "bob", "note": "on it", "at": NOW - 60}
    metrics = where.get("/metrics").text
    assert 'keeptime_silences{contract="sentiment-latency"} 1.0' in metrics
    assert 'keeptime_alerts_acknowledged{contract="sentiment-latency"} 1.0' in metrics
