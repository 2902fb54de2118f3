"""Events over the port: told once under a key, listed by page, refused where they mean nothing."""

import json

import pytest

from keeptime.app.quieting import Impossible
from keeptime.errors import KeeptimeError, StoreError
from keeptime.testing.showable import NOW, FakeShowable, contract, view
from tests.web.conftest import Serve
from tests.web.test_outbox import post

URL = "/api/v1/events"
DEPLOY = {"kind": "deploy", "author": "ci", "version": "v2", "contracts": ["sentiment-latency"], "at": NOW - 60}


@pytest.fixture
def daemon() -> FakeShowable:
    return FakeShowable([view(contract())])


def test_told_again_under_its_key_it_is_answered_as_before(serve: Serve, daemon: FakeShowable) -> None:
    where = serve(daemon)
    first, again = (json.loads(post(where, DEPLOY, URL, Idempotency_Key="job-4").body) for _ in range(2))
    assert first["event"] == again["event"]
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert (first["event"]["contracts"], first["event"]["link"]) == (["sentiment-latency"], None)
    told = {
        "kind": "config",
        "author": "ann",
        "contracts": None,
        "text": "4 workers",
        "link": "https://ci.example/4?a=1",
    }
    made = json.loads(post(where, told, URL).body)["event"]
    assert (made["contracts"], made["text"], made["link"]) == ([], "4 workers", "https://ci.example/4?a=1")
    assert len(daemon.happened.marked) == 2


def test_they_are_listed_by_page_and_by_what_is_asked_for(serve: Serve, daemon: FakeShowable) -> None:
    where = serve(daemon)
    for number in range(5):
        kind = "deploy" if number % 2 else "other"
        post(where, DEPLOY | {"kind": kind, "at": NOW + number, "contracts": ["a", "b"] if number else []}, URL)
    page = json.loads(where.get(f"{URL}?limit=3").body)
    rest = json.loads(where.get(f"{URL}?limit=3&after={page['next']}").body)
    assert [each["id"] for each in page["events"] + rest["events"]] == [5, 4, 3, 2, 1]
    assert rest["next"] is None
    for asked, count in (("kind=deploy", 2), ("contract=c", 1), ("contract=b", 5), (f"since={NOW + 2}", 3)):
        assert len(json.loads(where.get(f"{URL}?{asked}").body)["events"]) == count, asked
    answer = where.get(f"{URL}?until={NOW + 1}")
    assert [each["at"] for each in json.loads(answer.body)["events"]] == [NOW]
    assert where.get(f"{URL}?until={NOW + 1}", If_None_Match=answer.headers["ETag"]).status == 304
    assert where.get(f"{URL}?after=99").status == 404


@pytest.mark.parametrize(
    "told",
    [
        {},
        [DEPLOY],
        DEPLOY | {"kind": "contract"},
        DEPLOY | {"kind": ["deploy"]},
        DEPLOY | {"author": " "},
        DEPLOY | {"author": "a" * 101},
        DEPLOY | {"at": "now"},
        DEPLOY | {"at": True},
        DEPLOY | {"at": 1e12},
        DEPLOY | {"contracts": "sentiment-latency"},
        DEPLOY | {"contracts": ["a b"]},
        DEPLOY | {"contracts": [1]},
        DEPLOY | {"contracts": ["a"] * 21},
        DEPLOY | {"version": "v" * 201},
        DEPLOY | {"text": "two\nlines"},
        DEPLOY | {"link": "javascript:alert(1)"},
        DEPLOY | {"link": "https://ann:canary@ci.example"},
        DEPLOY | {"link": "https://[ci"},
        DEPLOY | {"id": 5},
    ],
)
def test_what_means_nothing_marks_nothing(serve: Serve, daemon: FakeShowable, told: object) -> None:
    answer = post(serve(daemon), told, URL)
    assert answer.status == 400, answer.text
    assert "expected" in json.loads(answer.body)["error"]
    assert "canary" not in answer.text
    assert daemon.happened.marked == []


@pytest.mark.parametrize(
    "asked", ["kind=commit", "limit=0", "limit=1001", "since=monday", "until=nan", "after=-1", "contract=%00"]
)
def test_what_is_asked_for_and_means_nothing_is_refused(serve: Serve, daemon: FakeShowable, asked: str) -> None:
    answer = serve(daemon).get(f"{URL}?{asked}")
    assert (answer.status, "expected" in json.loads(answer.body)["error"]) == (400, True)


def test_a_key_is_a_word(serve: Serve, daemon: FakeShowable) -> None:
    where = serve(daemon)
    for key in ("", "a b", "k" * 201):
        assert post(where, DEPLOY, URL, Idempotency_Key=key).status == 400, key
    assert daemon.happened.marked == []


@pytest.mark.parametrize(
    ("error", "status"), [(Impossible("no contract 'x' is kept"), 409), (StoreError("full"), 503)]
)
def test_what_cannot_be_says_why(serve: Serve, daemon: FakeShowable, error: KeeptimeError, status: int) -> None:
    daemon.happened.wrong = error
    answer = post(serve(daemon), DEPLOY, URL)
    assert (answer.status, json.loads(answer.body)["error"]) == (status, str(error))
