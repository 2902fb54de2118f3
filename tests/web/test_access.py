"""One table says who may do what; every route has its row."""

import pytest
from starlette.routing import Mount, Route

from keeptime.model.token import Scope
from keeptime.testing.showable import FakeShowable
from keeptime.web.access import ACCESS, FORM, access, allowed
from keeptime.web.app import build


def test_every_route_has_a_row_for_each_of_its_methods_and_no_row_is_for_nothing() -> None:
    served = set()
    for route in build(FakeShowable()).routes:
        if isinstance(route, Mount):
            served.add(("GET", f"{route.path}/{{name}}"))
        else:
            assert isinstance(route, Route)
            served |= {(method, route.path) for method in (route.methods or ()) if method != "HEAD"}
    assert served == {(row.method, row.path) for row in ACCESS}


def test_only_healthz_and_what_every_wheel_has_ask_nobody_who_they_are() -> None:
    assert [row.path for row in ACCESS if row.scope is None] == ["/static/{name}", "/healthz"]


def test_links_and_other_sites_see_status_pages_alone() -> None:
    assert {row.path.partition("{")[0] for row in ACCESS if row.link} == {"/status/"}
    assert [row.path for row in ACCESS if row.embedded] == ["/status/{name}/badge.svg"]


def test_what_is_not_a_get_changes_something_and_reading_is_not_enough_for_it() -> None:
    for row in ACCESS:
        assert row.changes is (row.method != "GET")
        assert row.changes is (row.scope in (Scope.INGEST, Scope.SILENCE, Scope.ADMIN))


def test_forms_are_taken_for_three_things_alone_and_are_all_that_is_taken_there() -> None:
    taking = [row for row in ACCESS if FORM in row.taken]
    assert [row.path for row in taking] == [
        f"/incidents/{{id}}/{what}" for what in ("ack", "silence", "silence/end")
    ]
    assert taking == [row for row in ACCESS if row.form and row.changes]
    assert {(row.taken, row.scope, row.noted) for row in taking} == {((FORM,), Scope.SILENCE, True)}


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/metrics", Scope.READ),
        ("HEAD", "/status/checkout", Scope.READ),
        ("GET", "/nowhere", Scope.READ),
        ("POST", "/api/v1/outbox/replay", Scope.ADMIN),
    ],
)
def test_a_path_has_a_scope(method: str, path: str, scope: Scope) -> None:
    row = access(method, path)
    assert row is not None
    assert row.scope is scope


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/"), ("POST", "/api/v1/outbox/replay/"), ("GET", "/api/v1/outbox/replay"), ("BREW", "/nowhere")],
)
def test_a_method_without_a_row_is_not_served(method: str, path: str) -> None:
    assert access(method, path) is None


def test_what_a_path_allows() -> None:
    assert allowed("/metrics") == ("GET", "HEAD")
    assert allowed("/api/v1/outbox/replay") == ("POST",)
    assert allowed("/static/a/b") == ("GET", "HEAD")
