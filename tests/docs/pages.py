"""The pages that people read, and what stands in them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")], key=lambda page: str(page)
)

_FENCE = re.compile(r"^(?P<indent> *)```(?P<kind>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: the page, the line it begins at, its language and its text."""

    page: Path
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def text_of(page: Path) -> str:
    return page.read_text("utf-8")


def blocks(*kinds: str) -> list[Block]:
    """The fenced blocks of these languages, on all pages."""
    found = []
    for page in PAGES:
        text = text_of(page)
        for fence in _FENCE.finditer(text):
            if fence["kind"] in kinds:
                line = text.count("\n", 0, fence.start()) + 1
                found.append(Block(page, line, fence["kind"], fence["text"]))
    return found


def anchor(heading: str) -> str:
    """The fragment under which a heading is found, as forges make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {anchor(each) for each in re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)}
