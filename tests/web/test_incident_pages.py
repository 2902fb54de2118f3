"""The list of incidents, and the page of one: what it says, and that nothing on it can be more than text."""

import re
from dataclasses import replace

import pytest

from keeptime.errors import StoreUnavailable
from keeptime.model.event import Event, EventKind
from keeptime.model.explanation import Explanation
from keeptime.model.incident import Dossier
from keeptime.model.silence import Silence
from keeptime.testing.happened import FakeHappened
from keeptime.testing.showable import NOW, FakeShowable, contract, view
from tests.web.cards import words
from tests.web.conftest import Serve
from tests.web.scenes import INERT
from tests.web.test_incidents import LASTS, WORST, happened

URL = f"/incidents/{WORST.id}"


@pytest.fixture
def daemon() -> FakeShowable:
    return FakeShowable([view(contract())], happened=happened())


def test_the_list_is_newest_first_in_pages_and_can_be_narrowed(serve: Serve, daemon: FakeShowable) -> None:
    where = serve(daemon)
    html = where.get("/incidents?limit=2").text
    text = words(html)
    assert text.index("lasts, for 1 min by now") < text.index("recovered after 10 min")
    assert f'href="/incidents?limit=2&amp;after={WORST.id}"' in html
    older = where.get(f"/incidents?limit=2&after={WORST.id}").text
    assert "withdrawn after 50 s" in older
    assert 'href="/incidents?limit=2">Newest' in older
    lasting = words(where.get("/incidents?open=true&contract=").text)
    assert ("lasts, for 1 min" in lasting, "recovered" in lasting) == (True, False)
    assert "There is none of what is asked for" in words(where.get("/incidents?contract=nobody").text)
    assert "There is none." in words(serve(FakeShowable()).get("/incidents").text)
    berlin = where.get("/incidents?tz=Europe/Berlin&open=true").text
    assert "2027-01-15 08:59:04 CET" in words(berlin)
    assert re.search(
        'name="open" value="true">.*name="tz" list="zones"[^>]* value="Europe/Berlin"', berlin, re.DOTALL
    )


@pytest.mark.parametrize(
    ("path", "status", "why"),
    [
        ("/incidents?open=maybe", 400, "expected true or false"),
        ("/incidents?limit=0", 400, "expected 1 to 1000"),
        ("/incidents?tz=Mars", 400, "expected a time zone"),
        ("/incidents?after=nope", 404, "there is no such incident"),
        ("/incidents/nope", 404, "There is no such incident"),
        (f"{URL}?tz=Mars", 400, "expected a time zone"),
    ],
)
def test_what_means_nothing_is_said(serve: Serve, daemon: FakeShowable, path: str, status: int, why: str) -> None:
    answer = serve(daemon).get(path)
    assert (answer.status, why in words(answer.text)) == (status, True)


def test_all_of_one_is_on_its_page(serve: Serve, daemon: FakeShowable) -> None:
    html = serve(daemon).get(URL).text
    text = words(html)
    assert "It recovered after 10 min." in text
    assert "SLI 98.000%, burn rate 2.50×, budget 0 of 36 left, 6 over" in text
    assert "page-1h tier fired" in text
    assert "7 changes between the first ones and the newest are not kept" in text
    for said in (
        "taken in 1 s", "held back by a silence 3", "given up", "discarded by hand", "waits to be sent",
        "not sent: no news any more when the silence was over", "2 failed attempts", "(passed on)",
    ):  # fmt: skip
        assert said in text, said
    assert "webhook:https://hooks.example" in text
    assert "canary" not in html
    assert "acknowledged by ann: on it" in text
    assert "silence 3 of the whole contract until" in text
    assert "deploy v2, new tokenizer 1 min 40 s before it began, says ci" in text
    assert 'href="https://ci.example/42" rel="noopener noreferrer"' in html
    assert INERT in text
    assert INERT not in html


def test_it_leads_to_the_objective_at_that_time_to_the_ledger_and_to_the_api(
    serve: Serve, daemon: FakeShowable
) -> None:
    where = serve(daemon)
    html = where.get(URL).text
    start, end = WORST.started - 3600, NOW
    assert f'href="/contracts/sentiment-latency/p99?start={start:.0f}&amp;end={end:.0f}"' in html
    assert f'href="/ledger?contract=sentiment-latency&amp;after=0&amp;since={WORST.started:.0f}"' in html
    assert f'href="/api/v1/incidents/{WORST.id}"' in html
    lasts = where.get(f"/incidents/{LASTS.id}?tz=Europe/Berlin").text
    assert "/contracts/sentiment-latency/p99%5Bmodel_version%3Dv2%5D?tz=Europe%2FBerlin&amp;start=" in lasts


def test_what_lasts_says_whether_somebody_has_it(serve: Serve, daemon: FakeShowable) -> None:
    text = words(serve(daemon).get(f"/incidents/{LASTS.id}").text)
    assert "not acknowledged nobody has taken it on yet" in text
    assert "Nobody: no receiver of the contract hears of this" in text
    assert "Take this alert on" in text
    assert "Take this alert on" not in serve(daemon).get(URL).text


def test_of_a_contract_that_is_gone_there_is_nothing_to_be_done(serve: Serve, daemon: FakeShowable) -> None:
    daemon.contracts = []
    html = serve(daemon).get(URL).text
    assert "which is not kept any more" in html
    assert '<form method="post"' not in html


def test_events_after_it_began_and_silences_of_every_state_are_said(serve: Serve) -> None:
    later = Event(2, EventKind.CONTRACT, WORST.started + 60, ("sentiment-latency",), "keeptime")
    silences = (
        Silence(1, "sentiment-latency", "p99", "ann", "a", NOW - 60, NOW + 60),
        Silence(2, "sentiment-latency", "p99", "ann", "b", NOW + 60, NOW + 90),
        Silence(3, "sentiment-latency", "p99", "ann", "c", NOW - 90, NOW + 90, NOW - 5, "bob", "done"),
    )
    found = Dossier(replace(WORST, steps=(), reason=""), silences=silences, events=(later,))
    text = words(serve(FakeShowable(happened=FakeHappened([found]))).get(URL).text)
    assert "contract 1 min after it began, says keeptime" in text
    for said in ("(active)", "(to come)", "(ended by bob: done)"):
        assert said in text
    assert "No change of it was told" in text


def test_who_has_it_is_not_sent_it_again(serve: Serve, daemon: FakeShowable) -> None:
    where = serve(daemon)
    for path in (URL, "/incidents"):
        tag = where.get(path).headers["etag"]
        assert where.get(path, If_None_Match=tag).status == 304


def test_a_store_that_fails_is_said(serve: Serve, daemon: FakeShowable) -> None:
    daemon.happened.wrong = StoreUnavailable("the disk is full")
    for path in (URL, "/incidents"):
        answer = serve(daemon).get(path)
        assert (answer.status, "the disk is full" in answer.text) == (503, True)


def test_an_explanation_does_not_keep_the_page_from_being_shown(serve: Serve, daemon: FakeShowable) -> None:
    daemon.explaining.explained = {WORST.id: Explanation(WORST.id, NOW, ("the wait of the model grew",))}
    assert serve(daemon).get(URL).status == 200
