"""Every page over a made-up past of a week (of 90 days in the soak), in a real browser at a desk and on a phone.

Guarantees: no error and no violation of the content policy is in the console, and nothing is wider than its place.
What is seen is in out/screenshots, to be looked at by people.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from keeptime.demo.past import Order, make_past
from tests.web.conftest import Serve
from tests.web.stored import StoredShowable, shown
from tests.web.test_browser import DESK, PHONE, SHOTS, browser, complaints, page  # noqa: F401 - fixtures

DAY = 86_400.0
END = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
HEARD = """document.addEventListener('securitypolicyviolation',
    event => console.error(`${event.violatedDirective} ${event.blockedURI}`))"""
WIDER = """() => [...document.querySelectorAll('main *, header *, footer *')].filter(each => {
    const box = each.getBoundingClientRect();
    if (!box.width || each.closest('svg svg, .skip, thead') || each.closest('svg.plot')) return false;
    const own = up => ['auto', 'scroll'].includes(getComputedStyle(up).overflowX);
    const scrolls = up => up && (own(up) || scrolls(up.parentElement));
    const place = each.parentElement.closest('.contract')?.getBoundingClientRect().right ?? innerWidth;
    return box.right > place + 1 && !scrolls(each.parentElement);
}).map(each => each.outerHTML.slice(0, 120))"""
"""What is cut off, or sticks out of its card."""


@pytest.fixture(scope="module", params=[7, pytest.param(90, marks=pytest.mark.soak)])
def daemon(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredShowable]:
    order = Order(tmp_path_factory.mktemp("past") / "data", request.param * DAY, END)
    with shown(make_past(order, lambda _: None), order) as stored:
        yield stored


def paths(daemon: StoredShowable, incidents: list[str]) -> dict[str, str]:
    """Where to look, by what its picture is called."""
    found = {"overview": "/", "trouble": "/contracts/nobody", "incidents": "/incidents"}
    for each in daemon.contracts:
        name = each.contract.name
        found[name] = f"/contracts/{name}"
        for objective in each.contract.objectives:
            found[f"{name}-{objective.name}"] = f"/contracts/{name}/{quote(objective.name)}"
    found["hour"] = "/contracts/sentiment/p97-500ms?range=1h&requests=slowest&tz=Europe/Berlin"
    found["quarter"] = "/contracts/sentiment/p97-500ms?range=90d"
    found |= {f"incident-{nth}": f"/incidents/{each}" for nth, each in enumerate(incidents[:3])}
    found["traces"] = f"/incidents/{incidents[0]}/traces"
    return found | {"deliveries": "/deliveries", "ledger": "/ledger", "status": "/status/support?refresh=off"}


@pytest.mark.parametrize(("width", "size", "scheme"), [("desk", DESK, "light"), ("phone", PHONE, "dark")])
def test_a_week_is_shown_whole_and_within_its_place(
    serve: Serve,
    daemon: StoredShowable,
    page: Page,  # noqa: F811
    complaints: list[str],  # noqa: F811
    width: str,
    size: Any,
    scheme: Any,
) -> None:
    where = serve(daemon)
    page.add_init_script(HEARD)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    folder = SHOTS / "past"
    folder.mkdir(parents=True, exist_ok=True)
    page.goto(f"{where.url}/incidents")
    links = page.locator(".happenings a[href^='/incidents/']").evaluate_all("all => all.map(each => each.pathname)")
    incidents = [each.split("/")[2] for each in links]
    for name, path in paths(daemon, incidents).items():
        page.goto(where.url + path)
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert (path, page.evaluate(WIDER)) == (path, [])
    assert [each for each in complaints if "404" not in each] == []


def test_an_objective_of_the_past_has_all_its_pictures(serve: Serve, daemon: StoredShowable, page: Page) -> None:  # noqa: F811
    page.goto(f"{serve(daemon).url}/contracts/sentiment/p97-500ms?range=90d")
    for name in ("SLI over time", "Error budget left", "Latency", "Latency as a heatmap", "Phases of probes"):
        assert page.get_by_role("img", name=name, exact=False).first.is_visible(), name
    assert page.locator(".line-ahead").count() == 1, "the budget goes on"
    assert page.locator(".timeline .firing").count() >= 2
    assert page.locator(".legend li").count() >= 4
    assert page.locator("[data-part=slow] tbody tr").count() == 20
