"""Incidents over the port, on the page and in a terminal: pages, what means nothing, all of one, who has it."""

import io
import json

import pytest
from rich.console import Console

from keeptime.cli.incidents import TABLE_WIDTH, _detail, _lines, _table
from keeptime.errors import KeeptimeError, StoreError, UsageError
from keeptime.model.ack import Ack
from keeptime.model.alert import Address, Topic
from keeptime.model.event import Event, EventKind
from keeptime.model.incident import Dossier, Figures, How, Incident, Step, Told
from keeptime.model.key import ObjectiveKey
from keeptime.model.silence import Silence
from keeptime.model.verdict import Condition, Severity
from keeptime.testing.happened import FakeHappened
from keeptime.testing.showable import NOW, FakeShowable, contract, view
from keeptime.web.incidents import dossier_json, incident_json
from tests.cli.commands import run
from tests.web.conftest import Serve
from tests.web.scenes import INERT

URL = "/api/v1/incidents"
P99 = ObjectiveKey("sentiment-latency", "p99")
SEGMENT = ObjectiveKey("sentiment-latency", "p99[model_version=v2]")
HOOK = Address("checkout", "webhook", "https://hooks.example/T0/canary-4711", "env:SECRET")
PAGER = Address("operators", "log", "stdout")
STEPS = (
    Step(NOW - 900, Topic.AT_RISK, Condition.AT_RISK, Severity.PAGE, ("page-1h",), "it burns", "m1"),
    Step(NOW - 800, Topic.BROKEN, Condition.BROKEN, Severity.PAGE, (), INERT, "m2", Figures(0.98, 2.5, 36.0, -6.0)),
    Step(NOW - 300, Topic.RECOVERED, Condition.OK, None, (), "it holds", "m3"),
)
WORST = Incident(
    P99, NOW - 900, Condition.BROKEN, Severity.PAGE, INERT, "v1", NOW - 300, How.RECOVERED, STEPS, omitted=7
)
LASTS = Incident(SEGMENT, NOW - 60, Condition.AT_RISK, Severity.TICKET, "a little slow", "v1")
DEPLOY = Event(1, EventKind.DEPLOY, NOW - 1000, (), "ci", "v2", "new tokenizer", "https://ci.example/42", NOW - 999)
TOLD = (
    Told(1, "m1", Topic.AT_RISK, HOOK, NOW - 900, 2, NOW - 899, "204"),
    Told(2, "m1", Topic.AT_RISK, PAGER, NOW - 900, 0, None, "", muted=3),
    Told(3, "m2", Topic.BROKEN, PAGER, NOW - 800, 1, None, "410", dead=NOW - 700),
    Told(4, "m2", Topic.BROKEN, PAGER, NOW - 800, 0, None, "", dead=NOW - 700, discarded=NOW),
    Told(5, "m2", Topic.BROKEN, HOOK, NOW - 800, 0, None, "", origin=3),
    Told(6, "m2", Topic.BROKEN, PAGER, NOW - 800, 0, None, "", muted=3, passed=NOW),
)


def happened() -> FakeHappened:
    """One of each kind, and a dozen small ones before them."""
    small = [
        Incident(
            P99, NOW - 10_000 + 100 * each, Condition.NO_DATA, None, "", "", NOW - 9_950 + 100 * each, How.WITHDRAWN
        )
        for each in range(12)
    ]
    acks = (Ack(P99, NOW - 900, "ann", "on it", NOW - 890), Ack(P99, NOW - 900, "bob", "", NOW - 895))
    silences = (Silence(3, "sentiment-latency", "", "ann", "moving hosts", NOW - 950, NOW + 60),)
    dossiers = [*map(Dossier, small), Dossier(WORST, TOLD, acks, silences, (DEPLOY,)), Dossier(LASTS)]
    return FakeHappened(dossiers, [DEPLOY])


@pytest.fixture
def daemon() -> FakeShowable:
    return FakeShowable([view(contract())], happened=happened())


def test_pages_are_all_of_them_newest_first(serve: Serve, daemon: FakeShowable) -> None:
    where = serve(daemon)
    found, after = [], ""
    while after is not None:
        page = json.loads(where.get(f"{URL}?limit=5&after={after}").body)
        found += [each["id"] for each in page["incidents"]]
        after = page["next"]
    assert found == [each.incident.id for each in reversed(daemon.happened.dossiers)]
    assert found[0].startswith("sentiment-latency.p99-model-version-v2~")


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        ("open=true", 1),
        ("open=false", 13),
        ("contract=nobody", 0),
        ("objective=p99[model_version=v2]", 1),
        (f"since={NOW - 400}", 2),
        ("limit=14", 14),
    ],
)
def test_what_is_asked_for_is_listed(serve: Serve, daemon: FakeShowable, asked: str, count: int) -> None:
    said = json.loads(serve(daemon).get(f"{URL}?{asked}").body)
    assert (len(said["incidents"]), said["next"]) == (count, None)


@pytest.mark.parametrize(
    "asked",
    [
        "open=maybe",
        "limit=0",
        "limit=1001",
        "since=monday",
        "after=%C3%A4",
        "contract=%00",
        "objective=a%20b",
        f"after={'x' * 301}",
    ],
)
def test_what_means_nothing_is_refused(serve: Serve, daemon: FakeShowable, asked: str) -> None:
    answer = serve(daemon).get(f"{URL}?{asked}")
    assert answer.status == 400
    assert "expected" in json.loads(answer.body)["error"]


def test_all_of_one(serve: Serve, daemon: FakeShowable) -> None:
    where = serve(daemon)
    answer = where.get(f"{URL}/{WORST.id}")
    one = json.loads(answer.body)["incident"]
    assert (one["condition"], one["how"], one["transitions_omitted"]) == ("broken", "recovered", 7)
    assert one["transitions"][0]["tiers"] == ["page-1h"]
    assert one["transitions"][1]["budget"] == {"total": 36.0, "left": -6.0}
    assert [each["state"] for each in one["told"]] == ["taken", "muted", "dead", "discarded", "waiting", "not_sent"]
    assert one["told"][4]["passed_on_from"] == 3
    assert (one["acks"][0]["author"], one["silences"][0]["reason"]) == ("ann", "moving hosts")
    assert [(each["version"], each["contracts"]) for each in one["events"]] == [("v2", [])]
    assert "canary-4711" not in answer.text
    for name in (f"{LASTS.id}x", "%00", "..%2f..", "x" * 400):
        assert where.get(f"{URL}/{name}").status == 404, name
    assert where.get(f"{URL}?after=nobody").status == 404
    daemon.happened.wrong = StoreError("the disk is full")
    assert [where.get(path).status for path in (URL, f"{URL}/{WORST.id}")] == [503, 503]


def test_who_has_the_answer_is_not_sent_it_again(serve: Serve, daemon: FakeShowable) -> None:
    where = serve(daemon)
    for path in (URL, f"{URL}/{WORST.id}"):
        tag = where.get(path).headers["ETag"]
        again = where.get(path, If_None_Match=f'"other", W/{tag}')
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
        assert where.get(path, If_None_Match='"other"').status == 200
    daemon.happened.dossiers.pop()
    assert where.get(URL, If_None_Match=tag).status == 200


def test_the_page_lists_the_newest_of_each_contract_and_runs_nothing(serve: Serve, daemon: FakeShowable) -> None:
    html = serve(daemon).get("/contracts/sentiment-latency").text
    assert f'<a href="/incidents/{LASTS.id}">' in html
    assert "p99[model_version=v2] at risk, lasts, for 1 min by now: a little slow" in html
    assert "p99 broken, recovered after 10 min: " in html
    assert "<script>document" not in html
    daemon.happened.dossiers.clear()
    assert "<dt>Incidents</dt>" not in serve(daemon).get("/contracts/sentiment-latency").text


Out = pytest.CaptureFixture[str]


def test_the_command_lists_them_and_says_by_its_code_whether_one_lasts(
    serve: Serve, daemon: FakeShowable, capsys: Out
) -> None:
    url = serve(daemon).url
    assert run("incidents", "--url", url) == 0
    assert "a little slow" in capsys.readouterr().out
    assert run("incidents", "sentiment-latency", "--limit", "3", "--json", "--url", url) == 0
    assert len(json.loads(capsys.readouterr().out)["incidents"]) == 3
    assert run("incidents", "--open", "--json", "--url", url) == 1
    assert [each["id"] for each in json.loads(capsys.readouterr().out)["incidents"]] == [LASTS.id]
    daemon.happened.dossiers.pop()
    assert run("incidents", "--open", "--since", "7d", "--url", url) == 0
    assert capsys.readouterr().out == "nothing lasts\n"


def test_the_command_shows_all_of_one(serve: Serve, daemon: FakeShowable, capsys: Out) -> None:
    url = serve(daemon).url
    assert run("incidents", WORST.id, "--url", url) == 0
    shown = capsys.readouterr().out
    assert "broken, recovered after 10 min" in shown
    assert run("incidents", LASTS.id, "--json", "--url", url) == 0
    assert json.loads(capsys.readouterr().out)["incident"]["id"] == LASTS.id
    with pytest.raises(KeeptimeError, match="no such incident"):
        run("incidents", LASTS.id.replace("v2", "v9"), "--url", url)
    with pytest.raises(UsageError, match="choose from the list"):
        run("incidents", LASTS.id, "--open", "--url", url)
    with pytest.raises(UsageError, match="--since soon"):
        run("incidents", "--since", "soon", "--url", url)
    with pytest.raises(SystemExit):
        run("incidents", "--limit", "0", "--url", url)


def printed(what: object, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_the_sentences_of_the_judge_and_of_receivers() -> None:
    found = [dict(incident_json(each)) for each in (LASTS, WORST)]
    narrow, wide = printed(_lines(found), 70), printed(_table(found), TABLE_WIDTH)
    assert max(map(len, narrow.splitlines())) <= 70
    for text in (narrow, wide):
        assert "a little slow" in text
        assert "at_risk (ticket)" in text
        assert WORST.id in text, "to be copied, so in one piece"
    detail = printed(_detail(dict(dossier_json(happened().dossiers[-2], NOW))), 200)
    for line in (
        "at_risk (page-1h): it burns",
        "7 changes between the first and the newest are not kept",
        "after 2 failed attempts (204)",
        "at_risk to operators by log: held back",
        "held back by silence 3",
        "given up after 1 failed attempt (410)",
        "passed on from row 3: waiting",
        "not sent: silence 3 held it back until it was old",
        "ann: on it",
        "silence 3 by ann (moving hosts)",
        "deploy v2 by ci: new tokenizer https://ci.example/42",
    ):
        assert line in detail
