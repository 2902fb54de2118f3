"""Acknowledging and silencing by the forms of an incident's page: what is let in, what is refused, what is done."""

import asyncio
import http.client
import ipaddress
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright
from starlette.requests import Request
from starlette.types import Message

from keeptime import __version__
from keeptime.app.quieting import Impossible
from keeptime.errors import StoreUnavailable
from keeptime.model.silence import Silence
from keeptime.model.token import Scope
from keeptime.testing.quieting import FakeQuieting
from keeptime.testing.showable import NOW, FakeShowable, contract, view
from keeptime.web.access import ACCESS, FORM
from keeptime.web.form import form_fields
from keeptime.web.posted import Refused
from tests.servers import wait_until
from tests.web.cards import words
from tests.web.conftest import Answer, Serve, Served
from tests.web.scenes import INERT
from tests.web.test_browser import ARGS
from tests.web.test_incidents import LASTS, WORST, happened
from tests.web.test_tokens import Rows, basic, bearer, guarded

PAGE = f"/incidents/{LASTS.id}"
ACK, SILENCE = f"{PAGE}/ack", f"{PAGE}/silence"
OURS = {"Sec-Fetch-Site": "same-origin"}
HUSH = {"author": "ann", "reason": "known", "of": "objective", "for": "2h"}


def daemon() -> FakeShowable:
    return FakeShowable([view(contract())], happened=happened())


def post(where: Served, path: str, fields: dict[str, str] | str, **headers: str) -> Answer:
    """As a browser posts a form."""
    body = fields if isinstance(fields, str) else urlencode(fields)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=10)
    try:
        connection.request("POST", path, body.encode(), {"Content-Type": FORM, **named})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def test_it_is_taken_on_and_the_page_says_so(serve: Serve) -> None:
    shown = daemon()
    where = serve(shown)
    assert "You have taken" not in where.get(f"{PAGE}?done=acknowledged").text, "a link cannot say what is not"
    answer = post(where, ACK, {"author": "ann", "note": "on it"}, **OURS)
    assert (answer.status, answer.headers["location"]) == (303, f"{PAGE}?done=acknowledged#did")
    (made,) = shown.quieting.acks
    assert (made.key, made.author, made.note) == (LASTS.key, "ann", "on it")
    assert "You have taken this alert on." in where.get(f"{PAGE}?done=acknowledged").text
    assert INERT not in where.get(f"{PAGE}?done={INERT}").text


def test_a_double_click_is_done_once(serve: Serve) -> None:
    shown = daemon()
    where = serve(shown)
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: post(where, SILENCE, HUSH, **OURS), range(2)))
    assert [each.status for each in answers] == [303, 303]
    assert len(shown.quieting.silences) == 1
    assert [post(where, ACK, {"author": "ann"}, **OURS).status for _ in range(2)] == [303, 303]
    assert len(shown.quieting.acks) == 1
    assert post(where, SILENCE, HUSH, **OURS).status == 303
    assert len(shown.quieting.silences) == 2, "after something else it is meant"
    shown.now += 11
    assert post(where, SILENCE, HUSH, **OURS).status == 303
    assert len(shown.quieting.silences) == 3, "so it is after a while"


def test_what_failed_can_be_posted_again(serve: Serve) -> None:
    shown = daemon()
    where = serve(shown)
    shown.quieting.wrong = StoreUnavailable("the disk is full")
    assert post(where, SILENCE, HUSH, **OURS).status == 503
    shown.quieting.wrong = None
    assert post(where, SILENCE, HUSH, **OURS).status == 303
    assert len(shown.quieting.silences) == 1


@pytest.mark.parametrize(
    ("fields", "objective", "ends"),
    [
        (HUSH, LASTS.key.objective, NOW + 7200),
        ({**HUSH, "of": "contract", "for": "30m"}, "", NOW + 1800),
        ({**HUSH, "for": "until", "until": "2027-01-15T10:00"}, LASTS.key.objective, NOW + 7196),
        (
            {**HUSH, "for": "until", "until": "2027-01-15T11:00", "tz": "Europe/Berlin"},
            LASTS.key.objective,
            NOW + 7196,
        ),
    ],
)
def test_operators_are_silenced(serve: Serve, fields: dict[str, str], objective: str, ends: float) -> None:
    shown = daemon()
    answer = post(serve(shown), SILENCE, fields, **OURS)
    assert answer.status == 303, answer.text
    (made,) = shown.quieting.silences
    assert (made.contract, made.objective, made.ends) == ("sentiment-latency", objective, ends)
    assert (made.author, made.reason) == ("ann", "known")
    assert ("tz=Europe" in answer.headers["location"]) is ("tz" in fields)


PROOFS = [
    ({"Sec-Fetch-Site": "same-origin"}, 303),
    ({"Origin": "OWN"}, 303),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "OWN"}, 303),
    ({}, 403),
    ({"Sec-Fetch-Site": "none"}, 403),
    ({"Sec-Fetch-Site": "none", "Origin": "OWN"}, 403),
    ({"Sec-Fetch-Site": "same-site", "Origin": "OWN"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": ""}, 403),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": ""}, 403),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "http://127.0.0.1:1"}, 403),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1"}, 403),
]


@pytest.mark.parametrize("path", [ACK, SILENCE])
def test_a_form_is_taken_only_with_proof_that_it_is_ours(serve: Serve, path: str) -> None:
    shown = daemon()
    where = serve(shown)
    for said, status in PROOFS:
        shown.quieting, shown.now = FakeQuieting(), shown.now + 60
        own = {name: value.replace("OWN", where.url) for name, value in said.items()}
        answer = post(where, path, HUSH if path == SILENCE else {"author": "ann"}, **own)
        assert answer.status == status, said
        assert bool(shown.quieting.acks or shown.quieting.silences) is (status == 303), said
        if status == 403:
            assert answer.headers["content-type"].startswith("text/html")
            assert "a page of another site" in answer.text or "own page alone" in answer.text


def test_another_form_of_body_is_refused(serve: Serve) -> None:
    shown = daemon()
    where = serve(shown)
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", ""):
        answer = post(where, ACK, '{"author": "ann"}', Content_Type=kind, **OURS)
        assert (answer.status, shown.quieting.acks) == (415, [])


def test_what_takes_json_takes_no_form_and_no_typed_token_still(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    token = file.add("me", [Scope.ADMIN], 0, None)
    where = serve(daemon(), door=door)
    for row in ACCESS:
        if row.changes and not row.form:
            assert FORM not in row.taken, row.path
    assert post(where, "/api/v1/acks", {"author": "ann"}, **OURS, **bearer(token)).status == 415
    assert post(where, "/api/v1/acks", "{}", Content_Type="application/json", **OURS, **basic(token)).status == 403


def test_a_typed_token_of_the_right_scope_may(serve: Serve, tmp_path: Path) -> None:
    rows: Rows = []
    file, door = guarded(tmp_path, rows)
    reads, may = file.add("looks", [Scope.READ], 0, None), file.add("ann-pc", [Scope.READ, Scope.SILENCE], 0, None)
    shown = daemon()
    where = serve(shown, door=door)
    stranger = post(where, ACK, {"author": "ann"}, **OURS)
    assert (stranger.status, "sentiment" in stranger.text, __version__ in stranger.text) == (401, False, False)
    refused = post(where, ACK, {"author": "ann"}, **OURS, **basic(reads))
    assert (refused.status, "has no scope" in refused.text) == (403, True)
    assert post(where, ACK, {"author": "ann"}, Sec_Fetch_Site="cross-site", **basic(may)).status == 403
    assert post(where, ACK, {"author": "ann"}, **basic(may)).status == 403
    assert shown.quieting.acks == []
    assert post(where, ACK, {"author": "ann"}, **OURS, **basic(may)).status == 303
    assert shown.quieting.acks[0].author == "ann (token ann-pc)"
    wait_until(lambda: any(row["path"] == ACK and not row["status"] for row in rows), 10, "the row of it")
    assert [row["token"] for row in rows if row["path"] == ACK and not row["status"]] == ["ann-pc"]
    assert "Your token may look alone" in where.get(PAGE, **basic(reads)).text
    page = where.get(PAGE, **basic(may)).text
    assert page.count('value="ann-pc"') == 2


def test_the_page_with_forms_says_where_it_posts_from_and_no_other_does(serve: Serve) -> None:
    where = serve(daemon())
    assert where.get(PAGE).headers["referrer-policy"] == "same-origin"
    for path in ("/incidents", "/contracts/sentiment-latency", "/status/checkout", "/api/v1/acks"):
        assert where.get(path).headers["referrer-policy"] == "no-referrer"


MISTAKES: list[tuple[str, dict[str, str] | str, str]] = [
    (ACK, {"author": ""}, "author is missing"),
    (ACK, {"author": "a\nb"}, "author: expected one line"),
    (ACK, {"author": "ann", "note": "n" * 501}, "note: expected a text of at most 500"),
    (ACK, {"author": "ann", "odd": "1"}, "is no field of this form"),
    (ACK, "author=ann&author=bob", "a field is there twice"),
    (ACK, "author=%ff", "the body is no form"),
    (ACK, "&".join(f"f{n}=1" for n in range(30)), "the body is no form"),
    (SILENCE, {**HUSH, "reason": ""}, "reason is missing"),
    (SILENCE, {**HUSH, "for": "9y"}, "how long is not said"),
    (SILENCE, {**HUSH, "of": "all"}, "of what is not said"),
    (SILENCE, {**HUSH, "for": "until", "until": "soon"}, "until: expected a day and a time"),
    (SILENCE, {**HUSH, "for": "until", "until": "2027-01-15T10:00", "tz": "Mars"}, "expected a time zone"),
]


def test_what_means_nothing_is_said_at_the_form(serve: Serve) -> None:
    shown = daemon()
    where = serve(shown)
    for path, fields, why in MISTAKES:
        answer = post(where, path, fields, **OURS)
        assert answer.status == 400, why
        assert why in words(answer.text)
        assert shown.quieting.acks + shown.quieting.silences == []  # type: ignore[operator]


def test_a_silence_of_the_incident_is_ended_and_no_other(serve: Serve) -> None:
    shown = daemon()
    shown.quieting.silences = [
        Silence(nth, "sentiment-latency", "", "ann", "known", NOW, NOW + 60) for nth in (3, 4)
    ]
    where, page = serve(shown), f"/incidents/{WORST.id}"
    assert 'id="end-3"' in where.get(page).text
    gone = post(where, f"{page}/silence/end", {"silence": "4", "author": "bob"}, **OURS)
    assert (gone.status, "this incident has no such silence" in gone.text) == (409, True)
    assert post(where, f"{page}/silence/end", {"silence": "3", "author": ""}, **OURS).status == 400
    assert post(where, f"{page}/silence/end", {"silence": "3", "author": "bob"}).status == 403
    assert [each.ended for each in shown.quieting.silences] == [None, None]
    done = post(where, f"{page}/silence/end", {"silence": "3", "author": "bob", "reason": "moved"}, **OURS)
    assert (done.status, done.headers["location"]) == (303, f"{page}?done=ended#did")
    assert [each.ended_by for each in shown.quieting.silences] == ["bob", ""]


def read(body: bytes) -> dict[str, str] | None:
    """The fields of a body; None: refused."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        return asyncio.run(
            form_fields(Request({"type": "http", "headers": []}, receive), frozenset({"author", "for"}))
        )
    except Refused:
        return None


@given(st.binary(max_size=200) | st.text("author=for&%;+\x00é", max_size=60).map(str.encode))
def test_any_body_is_a_form_or_is_refused(body: bytes) -> None:
    found = read(body)
    assert found is None or set(found) <= {"author", "for"}


@given(st.fixed_dictionaries({}, optional={"author": st.text(max_size=50), "for": st.text(max_size=50)}))
def test_what_was_typed_is_what_is_read(fields: dict[str, str]) -> None:
    assert read(urlencode(fields, errors="replace").encode()) == {
        name: text.encode("utf-8", "replace").decode() for name, text in fields.items()
    }


def test_what_was_typed_is_kept_and_is_only_text(serve: Serve) -> None:
    shown = daemon()
    shown.quieting.wrong = Impossible("its end has passed")
    answer = post(serve(shown), SILENCE, {**HUSH, "author": INERT, "reason": '"><b>', "for": "8h"}, **OURS)
    assert answer.status == 409
    assert 'role="alert" id="silence-why">its end has passed' in answer.text
    assert 'value="&#34;&gt;&lt;b&gt;"' in answer.text
    assert re.search(r'value="8h" checked', answer.text)
    assert INERT not in answer.text
    shown.quieting.wrong = StoreUnavailable("the disk is full")
    assert post(serve(shown), ACK, {"author": "ann"}, **OURS).status == 503


def test_an_incident_that_is_over_or_unknown_is_not_taken_on(serve: Serve) -> None:
    shown = daemon()
    where = serve(shown)
    answer = post(where, f"/incidents/{WORST.id}/ack", {"author": "ann"}, **OURS)
    assert (answer.status, "this incident is over" in answer.text) == (409, True)
    assert post(where, "/incidents/nope/ack", {"author": "ann"}, **OURS).status == 404
    assert post(where, "/incidents/NO%3CPE/silence", HUSH, **OURS).status == 404
    assert shown.quieting.acks == []


@pytest.mark.parametrize("action", ["ack", "silence", "silence/end"])
def test_a_form_that_means_nothing_of_an_incident_that_is_not_there_is_404(serve: Serve, action: str) -> None:
    assert post(serve(daemon()), f"/incidents/nobody/{action}", {"x": "1"}, **OURS).status == 404


def test_a_body_that_is_too_large_is_refused(serve: Serve) -> None:
    assert post(serve(daemon()), ACK, "author=" + "a" * 70_000, **OURS).status == 413


def test_behind_a_proxy_the_origin_is_what_its_client_speaks(serve: Serve, tmp_path: Path) -> None:
    file, door = guarded(tmp_path)
    door.proxies, door.hosts = (ipaddress.ip_network("127.0.0.1"),), frozenset({"sla.example.com"})
    token = basic(file.add("ann-pc", [Scope.SILENCE], 0, None))
    where = serve(daemon(), door=door)
    named = {"Host": "sla.example.com", "Origin": "https://sla.example.com", **token}
    assert post(where, ACK, {"author": "ann"}, **named, X_Forwarded_Proto="https").status == 303
    assert post(where, ACK, {"author": "ann"}, **named).status == 403


@pytest.mark.parametrize("tokens", [False, True])
def test_a_person_takes_an_alert_on_in_a_browser(serve: Serve, tmp_path: Path, *, tokens: bool) -> None:
    file, door = guarded(tmp_path)
    token = file.add("ann-pc", [Scope.READ, Scope.SILENCE], 0, None)
    shown, complaints = daemon(), []
    where = serve(shown, door=door) if tokens else serve(shown)
    with sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path="/usr/bin/chromium", args=ARGS.split(), headless=True,
            http_credentials={"username": "me", "password": token} if tokens else None,
        )  # fmt: skip
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{where.url}{PAGE}")
        page.fill("#ack input[name=author]", "ann")
        page.fill("#ack input[name=note]", "on it")
        page.click("#ack button")
        page.wait_for_url(f"**{PAGE}?done=acknowledged#did")
        assert page.get_by_role("status").inner_text() == "You have taken this alert on."
        page.fill("#silence input[name=author]", "ann")
        page.fill("#silence input[name=reason]", "known")
        page.check("#silence input[value=until]")
        page.fill("#silence input[name=until]", "2027-01-15T10:00")
        page.click("#silence button")
        page.wait_for_url(f"**{PAGE}?done=silenced#did")
        assert page.get_by_role("status").inner_text() == "The operators are silenced."
        context.close()
    assert len(shown.quieting.acks) == len(shown.quieting.silences) == 1
    assert complaints == []
