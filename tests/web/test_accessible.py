"""axe-core finds nothing serious on any page, at a desk in light and on a phone in dark; none is too wide."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from keeptime.model.exemplar import Exemplar
from keeptime.model.key import Signal, SignalKey
from keeptime.model.phases import PhaseSums
from keeptime.model.trace import Why
from keeptime.testing.past import FakePast
from keeptime.testing.showable import NOW
from keeptime.testing.traced import FakeTraced
from tests.web.conftest import Serve
from tests.web.test_ahead import probes
from tests.web.test_browser import DESK, PHONE, SHOTS, browser, complaints, page  # noqa: F401 - fixtures
from tests.web.test_incidents import WORST
from tests.web.test_objective_page import KEY, TERMS, buckets, daemon, took
from tests.web.test_status_page import daemon as consumers_page
from tests.web.test_status_page import link
from tests.web.test_tokens import guarded
from tests.web.test_traced import FOUND

MS = 1_000_000
PAGES = (
    "/",
    f"/contracts/{TERMS.name}",
    f"/contracts/{TERMS.name}/p99?range=1h",
    "/incidents",
    f"/incidents/{WORST.id}",
    f"/incidents/{WORST.id}/traces",
    "/deliveries",
    "/ledger",
)


@pytest.mark.parametrize(("width", "size", "scheme"), [("desk", DESK, "light"), ("phone", PHONE, "dark")])
def test_no_page_keeps_anything_from_anybody(
    serve: Serve,
    page: Page,  # noqa: F811
    complaints: list[str],  # noqa: F811
    width: str,
    size: Any,
    scheme: Any,
) -> None:
    shown = daemon(
        FakePast(
            {KEY: buckets((60, 0), (30, 30), None, (60, 0))},
            {SignalKey(TERMS.name, Signal.REQUESTS): took(0.01, 0.8, None, 0.02)},
        )
    )
    shown.tracing = FakeTraced({TERMS.name: FOUND})
    shown.past.spent = {TERMS.name: probes(*[PhaseSums(2, (MS, 4 * MS, 9 * MS, 2 * MS, 90 * MS, 5 * MS))] * 3)}
    shown.explaining.kept = [Exemplar(TERMS.name, round((NOW - 60) * 1e9), 900 * MS, Why.SLOW, trace="ab" * 16)]
    where, folder = serve(shown), Path(SHOTS)
    folder.mkdir(parents=True, exist_ok=True)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    for nth, path in enumerate(PAGES):
        page.goto(where.url + path)
        page.screenshot(path=folder / f"page-{nth}-{width}-{scheme}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        found = Axe().run(page).response["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        assert [(path, each["id"], each["nodes"][0]["html"]) for each in serious] == []
    assert complaints == []


@pytest.mark.parametrize(("width", "size", "scheme"), [("desk", DESK, "dark"), ("phone", PHONE, "light")])
def test_nor_does_a_consumers_page(
    serve: Serve,
    tmp_path: Path,
    page: Page,  # noqa: F811
    complaints: list[str],  # noqa: F811
    width: str,
    size: Any,
    scheme: Any,
) -> None:
    file, door = guarded(tmp_path)
    where = serve(consumers_page(), door=door)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    page.goto(f"{where.url}/status/checkout{link(file)}&refresh=off")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] != "minor"] == []
    assert complaints == []
