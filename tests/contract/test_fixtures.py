"""One mistake per file, with the exact message beside it; and files that are right though they look odd."""

from pathlib import Path

import pytest

from keeptime.contract.load import load_text

from .given import FIXTURES

BAD = sorted(FIXTURES.glob("*.bad.yaml"))
GOOD = sorted(FIXTURES.glob("*.good.yaml"))


def _said(path: Path) -> str:
    return "".join(f"{problem}\n" for problem in load_text(path.read_bytes(), path.name).problems)


def _expected(path: Path) -> str:
    beside = path.with_name(path.name.replace(".bad.yaml", ".expect").replace(".good.yaml", ".expect"))
    return beside.read_text("utf-8") if beside.exists() else ""


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.name.removesuffix(".bad.yaml"))
def test_a_mistake_gets_its_own_message(path: Path) -> None:
    assert _said(path) == _expected(path) != ""


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.name.removesuffix(".good.yaml"))
def test_an_odd_file_is_right(path: Path) -> None:
    assert load_text(path.read_bytes(), path.name).valid
    assert _said(path) == _expected(path)


def test_every_expectation_has_its_contract_and_there_are_enough() -> None:
    stems = {path.name.split(".")[0] for path in [*BAD, *GOOD] if path.name != "yaml-1.1-words.good.yaml"}
    assert {path.stem for path in FIXTURES.glob("*.expect")} <= stems
    assert len(BAD) >= 140


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.name.removesuffix(".bad.yaml"))
def test_no_message_repeats_a_secret(path: Path) -> None:
    assert "hunter2" not in _said(path)
    assert "aHVudGVyMg" not in _said(path)
