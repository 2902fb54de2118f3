"""What was left out, in the API and by `keeptime exclusions`."""

import json
from dataclasses import replace

import pytest

from keeptime.app.quieting import Impossible
from keeptime.contract.scope import Maintenance
from keeptime.errors import KeeptimeError, StoreUnavailable, UsageError
from keeptime.model.exclusion import FAILED, Exclusion, ExclusionKind, LeftOut
from keeptime.testing.past import FakePast
from keeptime.testing.showable import NOW, FakeShowable, contract, view
from tests.cli.commands import run
from tests.web.conftest import Serve
from tests.web.test_outbox import post
from tests.web.test_tags import walked

DAY = 86_400
FIRST = 20_700
WEEKLY = Exclusion(ExclusionKind.MAINTENANCE, "weekly restart", "ops")
ASKED = "/api/v1/exclusions?contract=sentiment-latency"
Out = pytest.CaptureFixture[str]


def daemon() -> FakeShowable:
    rows = [LeftOut("p99", FIRST + nth, FAILED, nth + 1) for nth in range(3)]
    rows.append(LeftOut("p99", FIRST + 2, WEEKLY, 40))
    return FakeShowable([view(contract())], past=FakePast(excluded={"sentiment-latency": rows}))


def test_each_day_has_its_reasons_newest_first(serve: Serve) -> None:
    said = json.loads(serve(daemon()).get(ASKED).body)
    assert said["next"] is None
    assert said["exclusions"][1] == {
        "objective": "p99", "day": "2026-09-06", "kind": "maintenance", "reason": "weekly restart", "author": "ops",
        "events": 40,
    }  # fmt: skip
    assert [(each["day"], each["events"], each["author"]) for each in said["exclusions"]] == [
        ("2026-09-06", 3, None), ("2026-09-06", 40, "ops"), ("2026-09-05", 2, None), ("2026-09-04", 1, None),
    ]  # fmt: skip


def test_whole_days_come_a_page_at_a_time(serve: Serve) -> None:
    pages = walked(serve(daemon()), f"{ASKED}&limit=1", "exclusions")
    assert [[each["events"] for each in page] for page in pages] == [[3, 40], [2], [1]]
    pages = walked(serve(daemon()), f"{ASKED}&limit=2&until={(FIRST + 2) * DAY}", "exclusions")
    assert [[each["events"] for each in page] for page in pages] == [[2, 1]]
    pages = walked(serve(daemon()), f"{ASKED}&since={(FIRST + 2) * DAY}", "exclusions")
    assert [[each["events"] for each in page] for page in pages] == [[3, 40]]


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("&limit=0", 400, "1 to 1000"),
        ("&since=monday", 400, "since=monday"),
        ("&until=nan", 400, "until=nan"),
        ("&after=20700", 400, "2026-10-05"),
        ("x", 404, "sentiment-latencyx"),
    ],
)
def test_what_means_nothing_is_refused(serve: Serve, asked: str, status: int, said: str) -> None:
    answer = serve(daemon()).get(ASKED + asked)
    assert answer.status == status
    assert said in json.loads(answer.body)["error"]


@pytest.mark.parametrize("asked", ["&since=-1e300", "&until=1e300", "&until=-5", "&after=0001-01-01"])
def test_any_instant_is_some_answer(serve: Serve, asked: str) -> None:
    assert serve(daemon()).get(ASKED + asked).status == 200


def test_a_store_that_cannot_be_read_is_said(serve: Serve) -> None:
    shown = FakeShowable([view(contract())], past=FakePast(error=StoreUnavailable("the disk is full")))
    assert serve(shown).get(ASKED).status == 503


def test_the_command_lists_every_page(serve: Serve, capsys: Out) -> None:
    where = serve(daemon())
    assert run("exclusions", "sentiment-latency", "--url", where.url) == 0
    table = capsys.readouterr().out
    assert "weekly restart" in table
    assert "2026-09-06" in table
    span = ("--since", "2026-09-05", "--until", "2026-09-06T00:00Z")
    assert run("exclusions", "sentiment-latency", "--json", *span, "--url", where.url) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(each["day"], each["events"]) for each in said["exclusions"]] == [("2026-09-05", 2)]
    assert run("exclusions", "sentiment-latency", "--since", "1h", "--url", where.url) == 0
    assert "nothing was left out" in capsys.readouterr().out
    with pytest.raises(KeeptimeError, match="no contract 'nobody'"):
        run("exclusions", "nobody", "--url", where.url)


WANTED = {"contract": "sentiment-latency", "author": "ann", "reason": "new racks", "until": NOW + 600}
POSTED = "/api/v1/exclusions"


def test_one_is_declared_listed_and_ended(serve: Serve, capsys: Out) -> None:
    where = serve(daemon())
    answer = post(where, WANTED | {"objective": "p99", "from": NOW + 60}, POSTED)
    made = json.loads(answer.body)["exclusion"]
    assert (answer.status, made["id"], made["objective"], made["state"]) == (200, 1, "p99", "to come")
    assert (made["from"], made["until"], made["ended_by"]) == (NOW + 60, NOW + 600, None)
    assert json.loads(where.get(ASKED).body)["declared"] == [made]
    assert run("exclusions", "sentiment-latency", "--url", where.url) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert (
        "declared 1 (to come): p99 from 2027-01-15 08:01:04 until 2027-01-15 08:10:04 UTC: new racks (ann)" in shown
    )
    ended = json.loads(post(where, {"id": 1, "author": "bob", "reason": "done"}, f"{POSTED}/end").body)["exclusion"]
    assert (ended["until"], ended["ended_by"], ended["ended_why"]) == (made["from"], "bob", "done")


@pytest.mark.parametrize(
    ("path", "posted"),
    [
        ("", {}),
        ("", {**WANTED, "author": ""}),
        ("", {**WANTED, "reason": " "}),
        ("", {**WANTED, "reason": "x" * 201}),
        ("", {**WANTED, "until": None}),
        ("", {**WANTED, "from": "now"}),
        ("", {**WANTED, "from": 1e300}),
        ("", {**WANTED, "ends": 1}),
        ("/end", {"id": "1", "author": "ann"}),
        ("/end", {"id": 1}),
    ],
)
def test_what_means_nothing_declares_nothing(serve: Serve, path: str, posted: object) -> None:
    shown = daemon()
    answer = post(serve(shown), posted, POSTED + path)
    assert answer.status == 400, answer.text
    assert shown.declaring.declared == []


@pytest.mark.parametrize(
    ("wrong", "status"), [(Impossible("signed in the ledger"), 409), (StoreUnavailable("the disk is full"), 503)]
)
def test_what_cannot_be_declared_says_why(serve: Serve, wrong: KeeptimeError, status: int) -> None:
    shown = daemon()
    shown.declaring.wrong = wrong
    answer = post(serve(shown), WANTED, POSTED)
    assert (answer.status, json.loads(answer.body)["error"]) == (status, str(wrong))


def test_the_contract_s_page_shows_what_is_declared(serve: Serve) -> None:
    window = Maintenance("2027-01-15T09:00:00", 600.0, "UTC", "new racks", "ann", objectives=("p99",))
    page = (
        serve(FakeShowable([view(replace(contract(), ordered=(window,)))])).get("/contracts/sentiment-latency").text
    )
    assert "Maintenance: new racks" in page
    assert "says ann" in page


def test_the_command_declares_one_and_ends_it(serve: Serve, capsys: Out) -> None:
    shown = daemon()
    url = ("--url", serve(shown).url)
    words = ("exclude", "add", "sentiment-latency", "--author", "ann", "--reason", "new racks")
    span = ("--from", "2027-01-15T09:00Z", "--for", "90m")
    assert run(*words, "--objective", "p99", *span, *url) == 0
    said = capsys.readouterr().out.strip()
    assert said == ("exclusion 1 of sentiment-latency/p99: from 2027-01-15 09:00:00Z until 2027-01-15 10:30:00Z")
    assert run("exclude", "end", "1", "--author", "bob", *url) == 0
    assert capsys.readouterr().out.strip() == ("exclusion 1 of sentiment-latency/p99 is taken back: it never began")
    assert run(*words, "--until", "2027-01-15T09:00Z", "--json", *url) == 0
    made = json.loads(capsys.readouterr().out)["exclusion"]
    assert (made["id"], made["objective"], made["author"], made["from"]) == (2, None, "ann", 60.0)
    with pytest.raises(KeeptimeError, match="there is no exclusion 7"):
        run("exclude", "end", "7", "--author", "ann", *url)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (("--for", "soon"), "--for soon: "),
        (("--until", "tomorrow"), "--until tomorrow: expected a time such as"),
        (("--from", "8", "--for", "1h"), "--from 8: expected a time such as"),
    ],
)
def test_a_span_that_means_nothing_is_wrong_usage(span: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run("exclude", "add", "sentiment-latency", "--author", "ann", "--reason", "new racks", *span)
