"""The overview: what needs a look first, found by text and condition, small for a thousand; and that it is live."""

import json
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from keeptime.contract.terms import Contract
from keeptime.errors import StoreError
from keeptime.model.key import Signal, SignalKey
from keeptime.model.series import DayCount
from keeptime.model.verdict import Condition
from keeptime.testing.past import FakePast
from keeptime.testing.showable import NOW, FakeShowable, contract, objective, verdict, view
from keeptime.web.charts.spark import spark_of
from keeptime.web.live import MOST
from tests.web.cards import overview, words
from tests.web.conftest import Serve
from tests.web.scenes import every_condition
from tests.web.test_browser import ARGS, DESK, PHONE, SHOTS
from tests.web.test_incidents import happened
from tests.web.test_objective_page import KEY, TERMS, buckets, took
from tests.web.test_objective_page import daemon as objective_daemon

TODAY = int(NOW // 86_400)


def many(count: int) -> FakeShowable:
    """So many objectives, two to a contract, each with 90 days; every tenth is broken."""
    found, days = FakeShowable(), {}
    for nth in range(count // 2):
        of = contract(f"service-{nth:04}", objectives=[objective(), objective("success", "999/1000", None)])
        which = [Condition.BROKEN if (2 * nth + k) % 10 == 3 else Condition.OK for k in range(2)]
        verdicts = [
            verdict(of, each, nth=k, good=240_000, bad=900 + nth, reason="2 of 9 requests were slow " * 3)
            for k, each in enumerate(which)
        ]
        found.contracts.append(view(of, verdicts))
        for each in of.objectives:
            days[of.key(each)] = {
                TODAY - at: DayCount(TODAY - at, 10_000, (at * 37 + nth) % 200) for at in range(1, 91)
            }
    found.past = FakePast(days=days)
    return found


def objectives_of(html: str) -> list[str]:
    return re.findall(r'<tr class="o (\w+)"', html)


def test_what_needs_a_look_comes_first_with_its_reason() -> None:
    html = overview(every_condition())
    assert objectives_of(html) == ["broken", "at_risk", "no_data", "waiting", "ok"]
    text = words(html)
    assert "99.9% of requests succeed over 28d sentiment-latency" in text
    assert "0 of 241 requests; 2,547 over" in text
    assert "gone in 6 h" in text
    assert "23.3× over 5m" in text
    assert "1 broken" in html.partition("</title>")[0]


def test_objectives_are_chosen_by_text_and_by_condition() -> None:
    daemon = every_condition()
    assert objectives_of(overview(daemon, "condition=at_risk")) == ["at_risk"]
    assert objectives_of(overview(daemon, "q=RESNET")) == ["no_data"]
    assert objectives_of(overview(daemon, "q=success")) == ["broken"]
    assert "None is like that" in words(overview(daemon, "q=nothing&condition=ok"))
    for wrong in ("condition=bad", "page=0", "page=x", f"q={'a' * 101}"):
        assert "expected" in words(overview(daemon, wrong)), wrong


def test_a_thousand_come_page_by_page_and_each_page_is_small() -> None:
    daemon = many(1000)
    pages = [overview(daemon, f"page={number}") for number in range(1, 11)]
    assert [len(objectives_of(each)) for each in pages] == [100] * 10
    assert objectives_of(pages[0])[:100] == ["broken"] * 100
    assert max(len(each.encode()) for each in pages) <= 300_000
    assert 'rel="next"' not in pages[-1]
    assert "1,000, what needs a look first" in words(pages[0])


def test_a_line_of_days_breaks_where_nothing_is_known_and_marks_what_fell_short() -> None:
    target = objective().target
    days = {day: DayCount(day, 1000, 20 if day == 7 else 5) for day in range(10, 0, -1) if day != 4}
    drawn = spark_of(days, 11, target)
    assert drawn.line.count("M") == 2
    assert drawn.short.count("M") == 1
    assert drawn.label == "9 of 90 days had requests; 1 fell short"
    assert spark_of({}, 11, target).line == ""


def test_a_store_that_fails_costs_the_lines_alone() -> None:
    daemon = many(4)
    daemon.past = FakePast(error=StoreError("locked"))
    assert "no day is over yet" in words(overview(daemon))


def test_what_was_and_what_is_not_well_is_said() -> None:
    daemon = every_condition()
    daemon.happened = happened()
    assert "Incidents" in words(overview(daemon))
    assert re.search(r'<a class="when" href="/incidents/[^"]+">', overview(daemon))


# --- Live


def stream(port: int) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port), timeout=10)
    link.sendall(b"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return link


def heard(link: socket.socket, until: bytes) -> bytes:
    got = b""
    while until not in got:
        piece = link.recv(4096)
        assert piece, got
        got += piece
    return got


def test_an_event_comes_with_each_tick_and_no_more_streams_than_there_may_be(serve: Serve) -> None:
    daemon = many(2)
    where = serve(daemon)
    link = stream(where.port)
    head = heard(link, b"retry:")
    assert b"text/event-stream" in head
    assert b"no-store" in head
    daemon.last_tick_at = NOW + 10
    assert json.dumps({"judged": NOW + 10}).encode() in heard(link, b"}\n\n")
    others = [stream(where.port) for _ in range(MOST - 1)]
    for each in others:
        heard(each, b"retry:")
    refused = where.get("/api/v1/live")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
    assert where.get("/").status == 200, "pages are served meanwhile"
    for each in (link, *others):
        each.close()
    end = time.monotonic() + 20
    while where.get("/api/v1/live", "HEAD").status == 503:
        assert time.monotonic() < end, "a reader that has gone gives its place back"
        time.sleep(0.2)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[BrowserContext]:
    with sync_playwright() as driver:
        made = driver.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path="/usr/bin/chromium", args=ARGS.split(), headless=True,
            timezone_id="Asia/Tokyo",
        )  # fmt: skip
        yield made
        made.close()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(context: BrowserContext, complaints: list[str]) -> Iterator[Page]:
    made = context.new_page()
    made.on("console", lambda message: complaints.append(message.text))
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    made.close()


def broken(of: Contract) -> FakeShowable:
    return FakeShowable([view(of, [verdict(of, Condition.BROKEN, good=3, bad=9, reason="9 of 12 were slow")])])


def test_a_change_is_seen_without_a_reload_and_what_was_typed_stays(
    serve: Serve, page: Page, complaints: list[str]
) -> None:
    daemon, of = FakeShowable([view(contract())]), contract()
    page.goto(serve(daemon).url)
    page.evaluate("window.stays = true")
    page.wait_for_function("document.querySelector('.live')?.textContent === '· live'")
    page.fill("input[name=q]", "half a wo")
    daemon.contracts = broken(of).contracts
    daemon.last_tick_at = NOW + 6
    page.wait_for_selector("tr.o.broken", timeout=15_000)
    assert page.title() == "1 broken – keeptime"
    assert page.evaluate("window.stays") is True
    assert page.input_value("input[name=q]") == "half a wo"
    assert complaints == []


def test_keys_lead_through_the_pages(serve: Serve, page: Page, complaints: list[str]) -> None:
    where = serve(every_condition())
    page.goto(where.url)
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("j?g")
    assert page.input_value("input[name=q]") == "j?g", "keys are letters where somebody writes"
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.evaluate("document.activeElement.getAttribute('href')")
    assert second == page.locator("tr.o th > a").nth(1).get_attribute("href")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.getAttribute('href')") != second
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#keys").is_visible()
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url(f"{where.url}/incidents")
    assert complaints == []


def test_a_chart_is_zoomed_by_drawing_and_times_are_local_at_one_click(
    serve: Serve, page: Page, complaints: list[str]
) -> None:
    past = FakePast(
        {KEY: buckets((60, 0), (30, 30), None, (60, 0))},
        {SignalKey(TERMS.name, Signal.REQUESTS): took(0.01, 0.8, None, 0.02)},
    )
    where = serve(objective_daemon(past))
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.goto(f"{where.url}/contracts/{TERMS.name}/p99?range=1h")
    chart = page.locator("svg.plot[data-start]").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box is not None
    start, end = (float(chart.get_attribute(name) or 0) for name in ("data-start", "data-end"))
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 60, steps=4)
    assert page.locator("rect.chosen").count() == 1
    page.mouse.up()
    page.wait_for_url(re.compile("start="))
    asked = dict(re.findall(r"(start|end)=(\d+)", page.url))
    assert start < float(asked["start"]) < float(asked["end"]) < end
    assert 0.1 < (float(asked["end"]) - float(asked["start"])) / (end - start) < 0.35
    page.get_by_role("button", name="Local (Asia/Tokyo)").click()
    page.wait_for_url(re.compile("tz=Asia"))
    assert f"start={asked['start']}" in page.url, "the range stays"
    assert complaints == []


def test_without_a_script_the_overview_is_whole(serve: Serve, page: Page) -> None:
    where = serve(many(40))
    page.route("**/*.js", lambda route: route.abort())
    page.goto(f"{where.url}/?q=service-0003")
    assert page.locator("tr.o").count() == 2
    assert page.locator(".live").count() == 0
    page.locator("tr.o th > a").first.click()
    page.wait_for_url(re.compile("/contracts/service-0003/"))


def test_it_fits_a_phone_and_a_desk(serve: Serve, page: Page, complaints: list[str]) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    daemon = many(60)
    daemon.contracts += every_condition().contracts
    daemon.happened = happened()
    where = serve(daemon)
    for width, size in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(where.url)
        page.screenshot(path=SHOTS / f"overview-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []
