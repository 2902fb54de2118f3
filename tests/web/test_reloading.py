"""A reload over the port: who asked, what changed, or every mistake with its place."""

import json

import pytest

from keeptime.app.reloading import Changed
from keeptime.errors import ContractError, KeeptimeError, Problem, StoreError
from keeptime.testing.showable import FakeShowable, contract, view
from tests.web.conftest import Serve
from tests.web.test_outbox import post

PATH = "/api/v1/reload"


def test_what_changed_is_the_answer(serve: Serve) -> None:
    daemon = FakeShowable([view(contract())])
    daemon.reloaded = Changed((("new", "v1"),), (("old", "v1"),), (("kept", "v1", "v2"),), 3)
    answer = post(serve(daemon), {"author": "ann"}, PATH)
    assert answer.status == 200
    assert json.loads(answer.body) == {
        "reloaded": True,
        "added": [{"contract": "new", "version": "v1"}],
        "removed": [{"contract": "old", "version": "v1"}],
        "changed": [{"contract": "kept", "from": "v1", "to": "v2"}],
        "unchanged": 3,
    }
    assert daemon.reloaded_by == ["ann"]


@pytest.mark.parametrize(
    ("error", "status", "problems"),
    [
        (ContractError([Problem("a.yaml", 6, 5, "error", "bad-target", "100% is none")]), 422, 1),
        (KeeptimeError("no such CA file"), 422, 0),
        (StoreError("the disk is full"), 503, 0),
    ],
)
def test_a_refusal_says_why_and_where(serve: Serve, error: KeeptimeError, status: int, problems: int) -> None:
    daemon = FakeShowable([view(contract())], reloaded=error)
    answer = post(serve(daemon), {"author": "ann"}, PATH)
    said = json.loads(answer.body)
    assert (answer.status, said["reloaded"], said["error"]) == (status, False, str(error))
    assert len(said["problems"]) == problems
    if problems:
        assert (said["problems"][0]["line"], said["problems"][0]["column"]) == (6, 5)


@pytest.mark.parametrize(
    "posted", [{}, {"author": ""}, {"author": 1}, {"author": "a" * 101}, {"author": "a\nb"}, [], {"who": "a"}, b"{"]
)
def test_who_does_not_say_who_they_are_changes_nothing(serve: Serve, posted: object) -> None:
    daemon = FakeShowable([view(contract())])
    assert post(serve(daemon), posted, PATH).status == 400
    assert daemon.reloaded_by == []


def test_a_page_of_another_site_reloads_nothing(serve: Serve) -> None:
    daemon = FakeShowable([view(contract())])
    assert post(serve(daemon), {"author": "ann"}, PATH, origin="http://evil.example").status == 403
    assert daemon.reloaded_by == []
