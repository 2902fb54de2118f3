"""A consumer's status page: who may look, what is shown and what never is, the feed, the badge."""

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest

from keeptime.app.rights import Rights
from keeptime.clock import SystemClock
from keeptime.contract.terms import Consumer
from keeptime.errors import StoreUnavailable, UsageError
from keeptime.model.alert import Address, Topic
from keeptime.model.incident import Dossier, How, Incident
from keeptime.model.key import ObjectiveKey
from keeptime.model.series import Bucket, Series
from keeptime.model.tally import Tally
from keeptime.model.token import Scope
from keeptime.model.verdict import Condition, Severity
from keeptime.store.tokens import TokenFile
from keeptime.testing.happened import FakeHappened
from keeptime.testing.past import FakePast
from keeptime.testing.showable import NOW, FakeShowable, contract, objective, verdict, view
from keeptime.web.access import ACCESS
from keeptime.web.days import DAYS, days_of, summed
from keeptime.web.door import Door
from tests.cli.commands import run
from tests.web.conftest import Serve
from tests.web.scenes import CANARY, INERT
from tests.web.test_tokens import Rows, bearer, guarded

PAGE, FEED, BADGE = "/status/checkout", "/status/checkout/feed.atom", "/status/checkout/badge.svg"
ATOM = "{http://www.w3.org/2005/Atom}"
TICKS = 8640
TODAY = int(NOW // 86_400)


def consumer(name: str) -> Consumer:
    address = Address(name, "webhook", f"https://hooks.example/{CANARY}-{name}")
    return Consumer(name, (address,), frozenset({Topic.BROKEN}))


def daily(*days: tuple[int, int] | None) -> Series:
    """Good and bad of the last days, oldest first; None: nothing was lived through."""
    first = TODAY - len(days) + 1
    return tuple(
        Bucket(
            (first + nth) * TICKS,
            (first + nth + 1) * TICKS,
            0 if each is None else TICKS,
            None if each is None else Tally(*each),
        )
        for nth, each in enumerate(days)
    )


def daemon() -> FakeShowable:
    """One contract of checkout's, with an internal objective and a hostile model; one of somebody else's."""
    inner = replace(objective("inner-secret", under=0.4), warns_of="p99")
    promises = [objective(), objective("p50", "1/2", 0.2), inner]
    mine = contract(objectives=promises, model=INERT, url=f"http://model.internal:5000/{CANARY}")
    mine = replace(
        mine,
        consumers=(consumer("checkout"), consumer("search-team")),
        operators=(Address("operators", "webhook", f"https://pager.example/{CANARY}"),),
    )
    other = replace(contract("other-contract"), consumers=(consumer("search-team"),))
    verdicts = [
        verdict(mine, Condition.BROKEN, good=9_000, bad=1000, reason=f"down on host-7 {CANARY}"),
        verdict(mine, Condition.AT_RISK, nth=1, good=90, bad=10, severity=Severity.TICKET, reason=CANARY),
        verdict(mine, Condition.NO_DATA, nth=2, reason=CANARY),
    ]
    incidents = [
        told("p99", Condition.BROKEN, NOW - 90_000, NOW - 86_400),
        told("p99", Condition.AT_RISK, NOW - 8_000, NOW - 7_000, Severity.TICKET),
        told("inner-secret", Condition.BROKEN, NOW - 5_000, None),
        told("p99[model_version=v2-secret]", Condition.BROKEN, NOW - 5_000, None),
        told("p99", Condition.BROKEN, NOW - 724, None),
    ]
    past = FakePast({mine.key(promises[0]): daily((99, 1), (98, 2), (0, 0), None, (1000, 0))})
    views = [view(mine, verdicts), view(other, [verdict(other, Condition.OK, good=5)])]
    return FakeShowable(views, past=past, happened=FakeHappened(incidents))


def told(
    name: str, condition: Condition, began: float, ended: float | None, severity: Severity = Severity.PAGE
) -> Dossier:
    key, how = ObjectiveKey("sentiment-latency", name), None if ended is None else How.RECOVERED
    return Dossier(Incident(key, began, condition, severity, f"because of {CANARY}", ended=ended, how=how))


def link(file: TokenFile, name: str = "checkout", expires: float | None = None) -> str:
    return f"?token={file.add(f'{name}-link', (), 0, expires, name)}"


def test_the_link_opens_page_feed_and_badge_and_nothing_else(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    query = link(file)
    where = serve(daemon(), door=door)
    assert [where.get(path + query).status for path in (PAGE, FEED, BADGE)] == [200, 200, 200]
    for row in ACCESS:
        if row.method == "GET" and row.scope is not None and not row.link:
            assert where.get(row.path + query).status == 401, row.path
    token = query.partition("=")[2]
    assert where.get("/api/v1/contracts", **bearer(token)).status == 403
    assert where.get("/static/keeptime.css").status == 200


def _read(file: TokenFile) -> str:
    return f"?token={file.add('reader', [Scope.READ, Scope.ADMIN], 0, None)}"


def _revoked(file: TokenFile) -> str:
    query = link(file)
    file.revoke("checkout-link")
    return query


@pytest.mark.parametrize(
    "make",
    [
        lambda _: "",
        lambda _: "?token=",
        lambda _: f"?token=kt_000000000000_{'A' * 43}",
        lambda file: link(file)[:-3] + "-_-",
        lambda file: link(file) + "&token=x",
        lambda file: link(file, "search-team"),
        lambda file: link(file, expires=1.0),
        _revoked,
        _read,
    ],
    ids=["none", "empty", "made-up", "wrong", "twice", "another's", "over", "revoked", "of-scope-read"],
)
def test_who_has_no_right_link_learns_nothing(
    serve: Serve, tmp_path: Path, make: Callable[[TokenFile], str]
) -> None:
    file, door = guarded(tmp_path)
    query = make(file)
    where = serve(daemon(), door=door)
    there, nowhere = where.get(PAGE + query), where.get("/status/nobody-such" + query)
    assert (there.status, nowhere.status) == (401, 401)
    assert there.body == nowhere.body
    assert [where.get(path + query).status for path in (FEED, BADGE)] == [401, 401]


def test_the_token_is_in_no_log_and_no_row(serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows: Rows = []
    file, door = guarded(tmp_path, rows)
    query, other = link(file), link(file, "search-team")
    where = serve(daemon(), door=door)
    with caplog.at_level(logging.DEBUG):
        answers = [where.get(PAGE + each) for each in (query, other)]
        where.get(f"/metrics{query}")
        where.get("/healthz")
    assert [each.status for each in answers] == [200, 401]
    assert answers[0].headers["referrer-policy"] == "no-referrer"
    assert answers[0].headers["cache-control"] == "no-store"
    assert [row["path"] for row in rows] == [PAGE, "/metrics"]
    said = f"{rows}{[record.__dict__ for record in caplog.records]}"
    assert not any(each[-43:] in said for each in (query, other))


def test_a_reader_and_who_is_not_asked_see_every_consumers_page(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    reader = bearer(file.add("reader", [Scope.READ], 0, None))
    where = serve(daemon(), door=door)
    answers = [where.get(path, **reader) for path in (PAGE, "/status/search-team", "/status/operators")]
    assert [each.status for each in answers] == [200, 200, 404]
    assert "token=" not in answers[0].text
    open_to_all = serve(daemon(), door=Door(rights=Rights(TokenFile(tmp_path / "none"), SystemClock())))
    assert open_to_all.get(PAGE).status == 200


def test_only_what_was_promised_is_shown(serve: Serve) -> None:
    shown = daemon()
    where = serve(shown)
    page, feed, badge = (where.get(path).text for path in (PAGE, FEED, BADGE))
    assert "99% of requests under 500ms over 28d" in page
    assert "90.00% of 10,000 requests over 28d; promised 99%." in page
    for text in (page, feed, badge):
        for never in (
            CANARY,
            "search-team",
            "other-contract",
            "inner",
            "secret",
            "internal",
            "pager",
            "host-7",
            "under 400ms",
        ):
            assert never not in text
        assert "<script" not in text
    assert "&lt;script&gt;" in page
    assert "{{7*7}}" in page
    assert "1 of 2 promises is broken" in page
    assert "at risk" not in page, "a ticket is the operators' own"
    assert page.count("lasts, for") == 1
    assert {key.objective for key, *_ in shown.past.asked} == {"p99", "p50"}


def test_the_page_asks_again_unless_it_is_paused_and_keeps_the_links_token(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    query = link(file)
    where = serve(daemon(), door=door)
    page = where.get(PAGE + query).text
    assert '<meta http-equiv="refresh" content="60">' in page
    links = re.findall(r'(?:href|src)="(/status/[^"]*)"', page)
    assert len(links) >= 4
    assert all(query in each for each in links), links
    assert f'href="{PAGE}{query}&amp;refresh=off"' in page
    assert f"{where.url}{BADGE}{query}" in unescape(page), "the line to copy"
    assert "ask ml-platform" in page
    paused = where.get(f"{PAGE}{query}&refresh=off")
    assert paused.status == 200
    assert "http-equiv" not in paused.text
    assert "resume" in paused.text
    assert not re.search(r'href="/(?!status/checkout|static/)', page), "no way to the provider's pages"


def test_days_are_told_apart_by_height_and_words() -> None:
    days = days_of(daily((99, 1), (98, 2), (0, 0), None, (1000, 0)), 10.0, NOW, objective().target, "requests")
    assert len(days) == DAYS
    assert [each.kind for each in days[-6:]] == ["unseen", "kept", "short", "idle", "unseen", "kept"]
    assert days[-4].words.endswith(": 98.00% of 100 requests, less than the promised 99%")
    assert len({each.height for each in days}) == 4
    said = summed(days, objective().target)
    assert "on 2 it was 99% or better, on 1 less, on 1 there were no requests, on 86 nothing was observed" in said


def test_days_add_up_what_comes_in_shorter_buckets() -> None:
    half = TICKS // 2
    found = tuple(Bucket(TODAY * TICKS + n * half, TODAY * TICKS + (n + 1) * half, half, Tally(50)) for n in (0, 1))
    assert days_of(found, 10.0, NOW, objective().target, "requests")[-1].words.endswith("100% of 100 requests")


def test_the_feed_is_atom_and_an_entry_stays_itself(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    query = link(file)
    shown = daemon()
    where = serve(shown, door=door)
    answer = where.get(FEED + query)
    assert answer.headers["content-type"] == "application/atom+xml"
    feed = ElementTree.fromstring(answer.text)
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries] == [
        "broken: 99% of requests under 500ms over 28d"
    ] * 2
    assert entries[1].findtext(f"{ATOM}updated") == "2027-01-14T08:00:04Z"
    assert feed.findtext(f"{ATOM}updated") == entries[0].findtext(f"{ATOM}updated")
    assert {each.get("href") for each in feed.iter(f"{ATOM}link")} == {FEED + query, PAGE + query}
    ids = [each.text for each in feed.iter(f"{ATOM}id")]
    assert len(set(ids)) == 3
    shown.now += 60
    again = ElementTree.fromstring(where.get(FEED + query).text)
    assert [each.text for each in again.iter(f"{ATOM}id")] == ids
    assert "and lasts" in again.findall(f"{ATOM}entry")[0].findtext(f"{ATOM}summary", "")


def test_the_badge_is_a_picture_that_other_sites_may_show(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    query, where = link(file), serve(daemon(), door=door)
    answer = where.get(BADGE + query)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    reader = bearer(file.add("reader", [Scope.READ], 0, None))
    others = [where.get(PAGE + query), where.get(BADGE, **reader), serve(daemon()).get(f"{BADGE}?token=x")]
    assert {(each.status, each.headers["cross-origin-resource-policy"]) for each in others} == {
        (200, "same-origin")
    }
    picture = ElementTree.fromstring(answer.text)
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert "broken" in "".join(picture.itertext())
    assert "style" not in answer.text


def test_the_store_is_looked_into_now_and_then(serve: Serve) -> None:
    shown = daemon()
    where = serve(shown)
    for path in (PAGE, FEED, BADGE, PAGE, "/status/nobody"):
        where.get(path)
    assert len(shown.past.asked) == 2
    shown.now += 11
    shown.past.error = StoreUnavailable("/var/lib/secret: gone")
    answer = where.get(PAGE)
    assert (answer.status, "secret" in answer.text) == (503, False)


def test_the_command_prints_the_link(tmp_path: Path, capsys: pytest.CaptureFixture[str], serve: Serve) -> None:
    data = ("--data", str(tmp_path))
    assert run("token", "add", "one", "--status", "checkout", *data) == 0
    said = capsys.readouterr()
    assert said.out.startswith("/status/checkout?token=kt_")
    assert run("token", "list", *data) == 0
    assert "status page of" in capsys.readouterr().out
    where = serve(daemon(), door=guarded(tmp_path)[1])
    assert where.get(said.out.strip()).status == 200
    for wrong in (("--status", "A b"), ("--status", "checkout", "--scope", "read")):
        with pytest.raises((SystemExit, UsageError)):
            run("token", "add", "two", *wrong, *data)
