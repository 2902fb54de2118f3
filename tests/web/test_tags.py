"""Every GET of the API has a mark: what did not change is not sent again; a long list comes a page at a time."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from keeptime.model.silence import Silence
from keeptime.testing.quieting import FakeQuieting
from keeptime.testing.showable import NOW, FakeShowable
from keeptime.web.access import ACCESS
from tests.web.conftest import Serve, Served
from tests.web.test_incidents import WORST
from tests.web.test_kept import OCTOBER, SEPTEMBER
from tests.web.test_kept import daemon as with_periods
from tests.web.test_openapi import everything
from tests.web.test_outbox import daemon as with_letters

CONTRACT = "?contract=sentiment-latency"
ASKED: Mapping[str, str] = {
    "/api/v1/contracts": "",
    "/api/v1/periods": CONTRACT,
    "/api/v1/report": f"{CONTRACT}&period=2026-10",
    "/api/v1/exclusions": CONTRACT,
    "/api/v1/series": f"{CONTRACT}&objective=p99&end={NOW}",
    "/api/v1/latency": f"{CONTRACT}&end={NOW}",
    "/api/v1/phases": f"{CONTRACT}&end={NOW}",
    "/api/v1/ledger": "?after=0",
    "/api/v1/ledger/head": "",
    "/api/v1/outbox": "",
    "/api/v1/incidents": "",
    "/api/v1/incidents/{id}": "",
    "/api/v1/incidents/{id}/traces": "",
    "/api/v1/exemplars": CONTRACT,
    "/api/v1/incidents/{id}/explanation": "",
    "/api/v1/events": "",
    "/api/v1/openapi.json": "",
    "/api/v1/silences": "?all=true",
    "/api/v1/acks": "",
    "/api/v1/traces": CONTRACT,
}
"""Every GET of the API, and what it is asked with."""


def test_the_table_has_every_get_of_the_api() -> None:
    assert list(ASKED) == [
        row.path
        for row in ACCESS
        if row.method == "GET" and row.path.startswith("/api/v1/") and row.path != "/api/v1/live"
    ]


@pytest.mark.parametrize("path", ASKED)
def test_what_did_not_change_is_not_sent_again(serve: Serve, path: str) -> None:
    where, asked = serve(everything()), path.replace("{id}", WORST.id) + ASKED[path]
    whole = where.get(asked)
    assert (whole.status, whole.headers["Content-Type"]) == (200, "application/json")
    tag = whole.headers["ETag"]
    for known in (tag, f'"other", {tag}', "*"):
        again = where.get(asked, If_None_Match=known)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag), known
    assert where.get(asked, If_None_Match='"other"').body == whole.body


def test_the_contracts_do_not_change_with_the_time_alone(serve: Serve) -> None:
    shown = everything()
    where = serve(shown)
    whole = where.get("/api/v1/contracts")
    assert whole.headers["ETag"].startswith('W/"'), "other bytes, the same meaning"
    shown.contracts = [replace(each, in_flight=each.in_flight) for each in shown.contracts]
    shown.now += 1
    assert where.get("/api/v1/contracts", If_None_Match=whole.headers["ETag"]).status == 304
    shown.reload_error = "no"
    assert where.get("/api/v1/contracts", If_None_Match=whole.headers["ETag"]).status == 200


def walked(where: Served, asked: str, kind: str) -> list[list[dict]]:
    """Every page, as it is led to by the one before."""
    pages, page = [], json.loads(where.get(asked).body)
    pages.append(page[kind])
    while page["next"] is not None:
        page = json.loads(where.get(f"{asked}&after={page['next']}").body)
        pages.append(page[kind])
    return pages


def many_silences() -> FakeShowable:
    made = [Silence(number, "c", "", "ann", "known", NOW - 9, NOW, NOW - 1, "ann") for number in range(1, 6)]
    return FakeShowable(quieting=FakeQuieting(made))


def test_long_lists_come_a_page_at_a_time(serve: Serve) -> None:
    letters = with_letters()
    rows = [each.row for each in letters.undelivered]
    found = walked(serve(letters), "/api/v1/outbox?limit=1", "outbox")
    assert [[each["id"] for each in page] for page in found] == [[row] for row in rows]
    found = walked(serve(many_silences()), "/api/v1/silences?all=true&limit=2", "silences")
    assert [[each["id"] for each in page] for page in found] == [[5, 4], [3, 2], [1]]


def test_periods_that_end_together_are_on_one_page(serve: Serve) -> None:
    shown = with_periods()
    other, before = replace(OCTOBER, objective="p50"), replace(SEPTEMBER, start=0.0, end=1_790_812_800.5)
    shown.closed = {"sentiment-latency": [OCTOBER, other, before]}
    found = walked(serve(shown), f"/api/v1/periods{CONTRACT}&limit=1", "periods")
    assert [[(each["objective"], each["name"]) for each in page] for page in found] == [
        [("p99", "2026-10"), ("p50", "2026-10")],
        [("p99", "2026-09")],
    ]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("/api/v1/outbox?limit=0", "1 to 1000"),
        ("/api/v1/outbox?limit=1001", "1 to 1000"),
        ("/api/v1/outbox?after=-1", "whole number"),
        ("/api/v1/silences?all=true&limit=0", "1 to 1000"),
        (f"/api/v1/periods{CONTRACT}&limit=0", "1 to 10000"),
        (f"/api/v1/periods{CONTRACT}&after=soon", "Unix seconds"),
    ],
)
def test_a_page_that_means_nothing_is_refused(serve: Serve, asked: str, said: str) -> None:
    answer = serve(everything()).get(asked)
    assert answer.status == 400
    assert said in json.loads(answer.body)["error"]
