"""Undelivered messages on the port: shown to who may look, sent again by who may post."""

import http.client
import json

import pytest

from keeptime.app.view import DeliveryView
from keeptime.model.alert import Address, Letter, Topic
from keeptime.testing.showable import NOW, FakeShowable, contract, view
from tests.web.conftest import Answer, Serve, Served

CANARY = "canary-4711"
HOOK = Address("checkout", "webhook", f"https://hooks.example/{CANARY}")


def letter(row: int, dead: float | None = NOW, name: str = "sentiment-latency") -> Letter:
    why = "it answered 410 Gone; expected 2xx: the receiver is gone"
    return Letter(row, f"id-{row}", name, "p99", HOOK, Topic.BROKEN, NOW - 60, 1, NOW - 1, dead, why)


def daemon() -> FakeShowable:
    letters = [letter(1), letter(2, None), letter(3, name="another"), letter(4)]
    delivery = DeliveryView(
        *("sentiment-latency", "checkout", "webhook:env:HOOK", 3, 2, 0, 0.0),
        dead_letters=2,
        dead_reason="it answered 410 Gone",
    )
    return FakeShowable([view(contract())], [delivery], undelivered=letters)


def post(where: Served, body: object, path: str = "/api/v1/outbox/replay", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=10)
    named = {"content-type": "application/json"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("POST", path, text, named)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def test_all_that_is_undelivered_or_dead_letters_alone(serve: Serve) -> None:
    where = serve(daemon())
    found = json.loads(where.get("/api/v1/outbox").body)["outbox"]
    assert [each["id"] for each in found] == [1, 2, 3, 4]
    dead = json.loads(where.get("/api/v1/outbox?dead=true").body)["outbox"]
    assert [each["id"] for each in dead] == [1, 3, 4]
    assert (found[1]["dead_since"], found[1]["next_try"]) == (None, NOW - 1)
    assert (dead[0]["dead_since"], dead[0]["next_try"], dead[0]["topic"]) == (NOW, None, "broken")
    assert dead[0]["receiver"] == "webhook:https://hooks.example"
    assert CANARY not in where.get("/api/v1/outbox").text
    assert where.get("/api/v1/outbox?dead=maybe").status == 400


@pytest.mark.parametrize(
    ("body", "count"),
    [({"ids": [1, 2, 99]}, 1), ({"contract": "sentiment-latency"}, 2), ({"all": True}, 3), ({"contract": "x"}, 0)],
)
def test_a_replay_says_how_many(serve: Serve, body: object, count: int) -> None:
    shown = daemon()
    answer = post(serve(shown), body)
    assert (answer.status, json.loads(answer.body)) == (200, {"replayed": count})
    assert sum(each.dead is not None for each in shown.undelivered) == 3 - count


@pytest.mark.parametrize(
    "body",
    [
        *(
            {},
            [],
            None,
            {"ids": []},
            {"ids": ["1"]},
            {"ids": [True]},
            {"ids": [0]},
            {"ids": [2**63]},
            {"all": False},
        ),
        *({"contract": ""}, {"contract": "a", "all": True}, {"ids": [1], "more": 1}, b"{", b"\xff", b"[" * 60_000),
    ],
)
def test_what_means_nothing_is_refused_and_changes_nothing(serve: Serve, body: object) -> None:
    shown = daemon()
    answer = post(serve(shown), body)
    assert answer.status == 400
    assert json.loads(answer.body)["error"]
    assert sum(each.dead is not None for each in shown.undelivered) == 3


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": ""}, 415),
        ({"Host": "evil.example"}, 421),
        ({"Host": "localhost:1", "Origin": "http://localhost:2"}, 403),
        ({"Host": "localhost:1", "Origin": "http://localhost:1"}, 200),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
    ],
)
def test_no_page_of_another_site_can_change_anything(serve: Serve, headers: dict[str, str], status: int) -> None:
    shown = daemon()
    assert post(serve(shown), {"all": True}, **headers).status == status
    assert any(each.dead is None for each in shown.undelivered[:1]) is (status == 200)


def test_only_the_replay_takes_a_post(serve: Serve) -> None:
    where = serve(daemon())
    for path in ("/api/v1/outbox", "/", "/healthz", "/api/v1/outbox/replay/", "/probe?contract=sentiment-latency"):
        assert post(where, {"all": True}, path).status == 405
    assert where.get("/api/v1/outbox/replay").status == 405
    assert where.get("/api/v1/outbox/replay", "OPTIONS").status == 405


def test_dead_letters_are_on_the_page_in_the_api_and_in_the_metrics(serve: Serve) -> None:
    where = serve(daemon())
    assert "none waiting, 2 dead letters" in where.get("/contracts/sentiment-latency").text
    assert "it answered 410 Gone" in where.get("/contracts/sentiment-latency").text
    (said,) = json.loads(where.get("/api/v1/contracts").body)["contracts"][0]["deliveries"]
    assert (said["dead_letters"], said["dead_reason"]) == (2, "it answered 410 Gone")
    series = 'keeptime_dead_letters{audience="checkout",contract="sentiment-latency",receiver="webhook"} 2.0'
    assert series in where.get("/metrics").text


def test_too_large_a_body_is_refused_and_changes_nothing(serve: Serve) -> None:
    shown = daemon()
    answer = post(serve(shown), b" " * 70_000)
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert sum(each.dead is not None for each in shown.undelivered) == 3


WHY = {"author": "ada", "reason": "the team is gone"}


@pytest.mark.parametrize(
    ("chosen", "count"), [({"ids": [1, 99]}, 1), ({"contract": "another"}, 1), ({"all": True}, 3)]
)
def test_discarding_says_who_and_why(serve: Serve, chosen: dict[str, object], count: int) -> None:
    shown = daemon()
    where = serve(shown)
    answer = post(where, chosen | WHY, "/api/v1/outbox/discard")
    assert (answer.status, json.loads(answer.body)) == (200, {"discarded": count})
    assert shown.discarded_by == [("ada", "the team is gone")]
    assert len(shown.undelivered) == 4 - count


@pytest.mark.parametrize(
    "body",
    [
        {"all": True},
        WHY,
        {"all": True, "author": "ada"},
        {"all": True, "reason": "x"},
        WHY | {"all": True, "reason": "two\nlines"},
        WHY | {"all": True, "ids": [1]},
        WHY | {"all": True, "more": 1},
        [1],
    ],
)
def test_a_discard_that_is_not_wholly_said_is_refused(serve: Serve, body: object) -> None:
    shown = daemon()
    answer = post(serve(shown), body, "/api/v1/outbox/discard")
    assert answer.status == 400
    assert len(shown.undelivered) == 4
