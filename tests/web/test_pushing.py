"""Requests posted to the port: who may, in which form, and what is said of what was taken and what was not."""

import gzip
import json
from pathlib import Path

import pytest

from keeptime.errors import KeeptimeError
from keeptime.model.token import Scope
from keeptime.observe.intake.refusing import Busy, NotAsked, Taken, TooMany, Unknown, Unreadable
from keeptime.testing.showable import FakeShowable, contract, view
from keeptime.testing.taking import FakeIntake
from keeptime.web.access import MOST_SENT
from tests.web.conftest import Answer, Serve, Served
from tests.web.test_outbox import post
from tests.web.test_tokens import Rows, bearer, guarded

PATH = "/api/v1/push/sentiment-latency"
ONE = b'{"latency_seconds": 0.1}'
PACKED = gzip.compress(ONE, mtime=0)


def daemon(intake: FakeIntake) -> FakeShowable:
    return FakeShowable([view(contract())], intake=intake)


def push(where: Served, body: bytes, **headers: str) -> Answer:
    return post(where, body, PATH, **headers)


def test_what_is_posted_is_passed_on_as_it_is_and_the_answer_says_what_became_of_it(serve: Serve) -> None:
    intake = FakeIntake(Taken(2, 1, 1, ((0, "it is odd"),), {"requests": (0.2, 0.5)}))
    where = serve(daemon(intake))
    answer = push(where, ONE, content_type="application/x-ndjson; charset=utf-8", Idempotency_Key="run-7")
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "taken": 2, "late": 1, "refused": [{"at": 0, "why": "it is odd"}], "refused_count": 1,
        "thresholds": {"requests": [0.2, 0.5]},
    }  # fmt: skip
    (posted,) = intake.posted
    assert (posted.contract, posted.body, posted.lines) == ("sentiment-latency", ONE, True)
    assert (posted.key, posted.token) == ("run-7", "")


def test_where_nothing_of_it_is_taken_it_is_no_success(serve: Serve) -> None:
    answer = push(serve(daemon(FakeIntake(Taken(0, 0, 1, ((0, "it is odd"),))))), ONE)
    assert (answer.status, json.loads(answer.body)["error"]) == (400, "nothing of it was taken: it is odd")
    assert push(serve(daemon(FakeIntake(Taken(0)))), b"[]").status == 200


@pytest.mark.parametrize(
    ("wrong", "status"),
    [(Unknown("no"), 404), (NotAsked("no"), 409), (TooMany("no"), 413), (Busy("no"), 503), (Unreadable("no"), 400)],
)
def test_a_body_that_is_refused_has_a_status_and_a_sentence(
    serve: Serve, wrong: KeeptimeError, status: int
) -> None:
    answer = push(serve(daemon(FakeIntake(wrong=wrong))), ONE)
    assert (answer.status, json.loads(answer.body)) == (status, {"error": "no"})
    assert ("retry-after" in answer.headers) is (status == 503)


def test_a_body_may_be_packed_and_is_unpacked_no_further_than_it_may_be_long(serve: Serve) -> None:
    intake = FakeIntake()
    where = serve(daemon(intake))
    whole = b"[" + b" " * (MOST_SENT - 2) + b"]"
    assert push(where, gzip.compress(whole), Content_Encoding="gzip").status == 200
    assert intake.posted[0].body == whole
    bomb = gzip.compress(b" " * (6 * MOST_SENT))
    assert len(bomb) < MOST_SENT // 10
    answer = push(where, bomb, Content_Encoding="gzip")
    assert (answer.status, "at most 4194304 bytes, unpacked" in answer.text) == (413, True)
    assert len(intake.posted) == 1


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"no gzip", {"Content_Encoding": "gzip"}, 400),
        (PACKED[:-4], {"Content_Encoding": "gzip"}, 400),
        (PACKED * 2, {"Content_Encoding": "gzip"}, 400),
        (b"", {"Content_Encoding": "gzip"}, 400),
        (gzip.compress(PACKED, mtime=0), {"Content_Encoding": "gzip, gzip"}, 415),
        (ONE, {"Content_Encoding": "br"}, 415),
        (ONE, {"content_type": "text/plain"}, 415),
        (ONE, {"content_type": "application/x-protobuf"}, 415),
        (b" " * (MOST_SENT + 1), {}, 413),
        (ONE, {"Origin": "https://evil.example"}, 403),
    ],
)
def test_what_is_packed_or_written_otherwise_never_gets_in(
    serve: Serve, body: bytes, headers: dict[str, str], status: int
) -> None:
    intake = FakeIntake()
    assert push(serve(daemon(intake)), body, **headers).status == status
    assert intake.posted == []


def test_what_takes_no_packed_body_takes_none_still(serve: Serve) -> None:
    where = serve(daemon(FakeIntake()))
    body = gzip.compress(b'{"author": "me"}')
    assert post(where, body, "/api/v1/reload", Content_Encoding="gzip").status == 415
    assert post(where, b"{}", "/api/v1/reload", content_type="application/x-ndjson").status == 415


def test_it_takes_the_scope_ingest_and_fills_no_ledger(serve: Serve, tmp_path: Path) -> None:
    rows: Rows = []
    file, door = guarded(tmp_path, rows)
    tokens = {scope: file.add(scope.value, [scope], 0, None) for scope in Scope}
    intake = FakeIntake()
    where = serve(daemon(intake), door=door)
    asked = {scope: push(where, ONE, **bearer(token)).status for scope, token in tokens.items()}
    assert asked == {Scope.READ: 403, Scope.INGEST: 200, Scope.SILENCE: 403, Scope.ADMIN: 200}
    assert [each.token for each in intake.posted] == ["ingest", "admin"]
    where.get("/healthz")
    assert [row["reason"] for row in rows] == ["scope", "scope"]
