"""The codes of problems on the page are those in the code."""

import ast
import re
from collections.abc import Iterator

from .pages import ROOT, text_of

SOURCES = [
    *ROOT.glob("src/keeptime/contract/*.py"),
    *ROOT.glob("src/keeptime/contract/traffic/*.py"),
    *ROOT.glob("src/keeptime/contract/presets/*.py"),
    *ROOT.glob("src/keeptime/contract/probing/*.py"),
    ROOT / "src/keeptime/app/soundness.py",
]
SAYING = {"error", "warning", "spoil", "Problem", "_unreadable", "Wrong"}
"""Calls whose last arguments are a code and a message."""

KIND = re.compile(r"(bad|unknown)-[a-z-]+")
"""Codes that a kind of value carries as a field of its own."""


def _codes() -> Iterator[str]:
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and KIND.fullmatch(node.value):
                yield node.value
            if isinstance(node, ast.Call) and _name(node) in SAYING and len(node.args) >= 2:
                for inner in ast.walk(node.args[-2]):
                    if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                        yield inner.value


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _documented() -> set[str]:
    section = text_of(ROOT / "docs/check.md").partition("## Codes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return {code for row in rows for code in re.findall(r"`([a-z0-9-]+)`", row)}


def test_the_page_lists_every_code_and_no_other() -> None:
    assert _documented() == set(_codes())


def test_codes_of_the_fixtures_are_on_the_page() -> None:
    found = set()
    for path in ROOT.glob("tests/contract/fixtures/*.expect"):
        found |= set(re.findall(r"\[([a-z0-9-]+)\]$", path.read_text("utf-8"), re.MULTILINE))
    assert found
    assert found <= _documented()
