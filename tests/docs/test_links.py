"""A link in a page leads somewhere."""

import re
from pathlib import Path

import pytest

from .pages import PAGES, ROOT, anchors, text_of

_LINK = re.compile(r"\]\(([^)\s]+)\)")


def _missing(page: Path) -> list[str]:
    found = []
    for link in _LINK.findall(text_of(page)):
        if "://" in link:
            continue
        name, _, fragment = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (fragment and fragment not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_resolve(page: Path) -> None:
    assert _missing(page) == []


def test_the_index_leads_to_every_page() -> None:
    linked = set(_LINK.findall(text_of(ROOT / "docs/index.md")))
    assert {page.name for page in ROOT.glob("docs/*.md")} - {"index.md"} <= linked


def test_a_lost_page_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](gone.md) [b](page.md#here) [c](#not-here)\n", "utf-8")
    assert _missing(page) == ["gone.md", "#not-here"]
