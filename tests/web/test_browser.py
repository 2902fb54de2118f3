"""The first page in a real browser: what is seen at desk and phone width, light and dark; no error or violation."""

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

from keeptime.model.token import Scope
from keeptime.testing.showable import FakeShowable, contract, objective, verdict, view
from tests.web.conftest import Serve
from tests.web.scenes import INERT, Condition, every_condition, split, with_traffic
from tests.web.test_incidents import LASTS, happened
from tests.web.test_outbox import daemon as dead_letters
from tests.web.test_status_page import daemon as consumers_page
from tests.web.test_tokens import guarded

SHOTS = Path(__file__).parents[2] / "out" / "screenshots"
ARGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 375, "height": 780}


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[BrowserContext]:
    with sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path="/usr/bin/chromium", args=ARGS.split(), headless=True
        )
        yield context
        context.close()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: BrowserContext, complaints: list[str]) -> Page:
    """A page whose console messages, errors and failed requests are complaints."""
    page = browser.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: request.url.endswith("/live") or complaints.append(request.url))
    return page


@pytest.fixture
def http_pages() -> Iterator[Callable[[str], str]]:
    """Another site: serves this text, and says where."""
    texts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(texts[-1].encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()

        def serving(text: str) -> str:
            texts.append(text)
            return f"http://localhost:{server.server_address[1]}/"

        yield serving
        server.shutdown()


def test_traffic_and_segments_fit_a_phone(serve: Serve, page: Page, complaints: list[str]) -> None:
    daemon = with_traffic()
    daemon.contracts += split(20).contracts
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    where = serve(daemon)
    page.goto(f"{where.url}/contracts/chat")
    page.screenshot(path=SHOTS / "traffic-phone.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{where.url}/contracts/split")
    page.screenshot(path=SHOTS / "segments-phone.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    last = page.locator(".segments li").last
    assert not last.is_visible()
    page.locator("article summary").click()
    assert last.is_visible()
    assert complaints == []


def test_conditions_are_seen_at_every_width_and_in_both_schemes(
    serve: Serve, page: Page, complaints: list[str]
) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    where = serve(every_condition())
    for width, size in (("desk", DESK), ("phone", PHONE)):
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(f"{where.url}/contracts/sentiment-latency")
            page.screenshot(path=SHOTS / f"contract-{width}-{scheme}.png", full_page=True)
            for word in ("broken", "ok", "at risk (page)"):
                assert page.locator("article .pill", has_text=word).first.is_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


def test_colours_are_the_style_sheets_and_change_with_the_scheme(serve: Serve, page: Page) -> None:
    where = serve(every_condition())
    backgrounds = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(f"{where.url}/contracts/sentiment-latency")
        backgrounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(backgrounds) == 2
    bar = page.locator(".objective.ok svg.bar .fill").first.bounding_box()
    track = page.locator(".objective.ok svg.bar .track").first.bounding_box()
    assert bar is not None
    assert track is not None
    assert 0 < bar["width"] < track["width"]
    assert bar["height"] > 1


def test_a_consumers_page_is_whole_behind_its_link(
    serve: Serve, tmp_path: Path, page: Page, complaints: list[str]
) -> None:
    file, door = guarded(tmp_path)
    token = file.add("link", (), 0, None, "checkout")
    where = serve(consumers_page(), door=door)
    for width, size in (("desk", DESK), ("phone", PHONE)):
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(f"{where.url}/status/checkout?token={token}")
            page.screenshot(path=SHOTS / f"status-{width}-{scheme}.png", full_page=True)
            assert page.locator(".pill", has_text="1 of 2 promises is broken").is_visible()
            assert page.get_by_role("img", name="Of the last 90 days").count() == 2
            bar = page.locator(".days .kept").first.bounding_box()
            assert bar is not None
            assert bar["width"] > 1
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            for selector in (
                ".status h2",
                ".days + .ends",
                "summary",
                ".happened li",
                ".whose",
                ".bars li",
                ".ways a",
                ".ways pre",
            ):
                assert contrast(page, selector) >= 4.5, (scheme, selector)
    summary = page.locator("summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("li", has_text="98.00% of 100 requests, less than the promised 99%").is_visible()
    assert complaints == []


def contrast(page: Page, selector: str) -> float:
    """WCAG 2 contrast of an element's text against the nearest background behind it."""
    return float(
        page.evaluate(
            """selector => {
                const parse = text => text.match(/[\\d.]+/g).map(Number);
                const light = rgb => rgb.slice(0, 3).map(v => v / 255)
                    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
                    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
                let node = document.querySelector(selector);
                const ink = light(parse(getComputedStyle(node).color));
                while (node && parse(getComputedStyle(node).backgroundColor)[3] === 0) node = node.parentElement;
                const paper = light(parse(getComputedStyle(node).backgroundColor));
                return (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05);
            }""",
            selector,
        )
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable(serve: Serve, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    where = serve(every_condition())
    page.goto(f"{where.url}/contracts/sentiment-latency")
    pills = [f".pill.{condition}" for condition in ("ok", "at_risk", "broken")]
    texts = (
        ".reason",
        ".since",
        ".figures dt",
        ".tiers li",
        ".bottom a",
        ".trouble dd",
        ".soft",
        "thead th",
        ".pairs dt",
    )
    for selector in (*pills, *texts):
        assert contrast(page, selector) >= 4.5, selector
    for name, pill in (("image-tags", ".pill.no_data"), ("just-added", ".pill.waiting")):
        page.goto(f"{where.url}/contracts/{name}")
        assert contrast(page, pill) >= 4.5, pill


def test_a_hostile_contract_runs_nothing_and_breaks_no_layout(
    serve: Serve, page: Page, complaints: list[str]
) -> None:
    of = contract(INERT * 4, model="m" * 300, objectives=[objective("o" * 200)])
    daemon = FakeShowable([view(of, [verdict(of, Condition.BROKEN, good=1, bad=10**12, reason=INERT * 3)])])
    daemon.reload_error = INERT
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(serve(daemon).url)
    assert page.title() == "1 broken – keeptime"
    assert page.locator(".objectives", has_text="<script>").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints == []


ELSEWHERE = """<!doctype html><title>elsewhere</title><script>
const tried = [];
async function attempt(what) { try { await what(); tried.push("sent") } catch (error) { tried.push("stopped") } }
async function all(url) {
  const json = {method: "POST", body: '{"all": true}', headers: {"Content-Type": "application/json"}};
  await attempt(() => fetch(url, {...json, credentials: "include"}));
  await attempt(() => fetch(url, {method: "POST", body: '{"all": true}', credentials: "include", mode: "no-cors"}));
  return tried;
}
</script><form method=post enctype="text/plain"><input name='{"all":true,"x":"' value='"}'></form>"""


def test_a_person_looks_with_a_token_and_no_other_page_can_use_it(
    serve: Serve, tmp_path: Path, http_pages: Callable[[str], str]
) -> None:
    file, door = guarded(tmp_path)
    token = file.add("me", [Scope.ADMIN], 0, None)
    shown = dead_letters()
    where = serve(shown, door=door)
    with sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path="/usr/bin/chromium", args=ARGS.split(), headless=True,
            http_credentials={"username": "me", "password": token},
        )  # fmt: skip
        page = context.new_page()
        page.goto(where.url)
        assert page.locator(".objectives tr").first.is_visible()
        page.goto(http_pages(ELSEWHERE))
        target = f"{where.url}/api/v1/outbox/replay"
        assert page.evaluate("url => all(url)", target)[0] == "stopped"
        page.evaluate("url => { document.forms[0].action = url; document.forms[0].submit() }", target)
        page.wait_for_url(target)
        assert "a change takes the token as Authorization: Bearer" in page.content()
        context.close()
    assert [each.row for each in shown.undelivered if each.dead is None] == [2]


A_FORM = """<!doctype html><title>elsewhere</title><form method="post" action="{url}">
<input name="author" value="mallory"></form>"""


def test_another_page_cannot_use_a_password_that_the_browser_keeps(
    serve: Serve, tmp_path: Path, http_pages: Callable[[str], str]
) -> None:
    file, door = guarded(tmp_path)
    token = file.add("ann-pc", [Scope.READ, Scope.SILENCE], 0, None)
    shown = FakeShowable([view(contract())], happened=happened())
    where = serve(shown, door=door)
    with sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path="/usr/bin/chromium", args=ARGS.split(), headless=True,
            http_credentials={"username": "me", "password": token},
        )  # fmt: skip
        page = context.new_page()
        page.goto(f"{where.url}/incidents/{LASTS.id}")
        assert page.locator("#ack").is_visible()
        target = f"{where.url}/incidents/{LASTS.id}/ack"
        page.goto(http_pages(A_FORM.format(url=target)))
        page.evaluate("document.forms[0].submit()")
        page.wait_for_url(target)
        assert "a page of another site may change nothing" in page.content()
        context.close()
    assert shown.quieting.acks == []
