"""What a page shows works: contracts load, offline commands do what stands below them."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from keeptime.contract.load import load_files

from .pages import ROOT, Block, blocks, text_of

CONTRACTS = [block for block in blocks("yaml") if re.search(r"^contract:", block.text, re.MULTILINE)]
OFFLINE = re.compile(r"^\$ \S*keeptime (check|schema|export)\b")
SHOWN = [block for block in blocks("console", "sh") if OFFLINE.search(block.text)]


def _errors(path: Path) -> list[str]:
    return [str(each) for each in load_files([str(path)]).problems if each.severity == "error"]


@pytest.mark.parametrize("block", CONTRACTS, ids=str)
def test_a_contract_on_a_page_is_valid(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(block.text, "utf-8")
    assert _errors(path) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/**/*.yaml")), ids=lambda path: path.name)
def test_an_example_is_valid(path: Path) -> None:
    assert _errors(path) == []


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = [word for word in shlex.split(command) if word not in ("$",)]
    return subprocess.run(
        [sys.executable, "-m", "keeptime", *words[1:]], cwd=folder, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("block", SHOWN, ids=str)
def test_a_command_says_what_the_page_shows(block: Block, tmp_path: Path) -> None:
    """In a directory where contract.yaml is the page's own contract."""
    own = next(each for each in CONTRACTS if each.page == block.page)
    (tmp_path / "contract.yaml").write_text(own.text, "utf-8")
    command, _, shown = block.text.partition("\n")
    done = _run(command, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == shown.strip()


def test_the_readme_shows_check() -> None:
    assert any(block.page.name == "README.md" for block in SHOWN)


def test_a_message_in_the_readme_is_the_real_one(tmp_path: Path) -> None:
    shown = re.search(r"`contract\.yaml:\d+:\d+: (error: .*?\])`", text_of(ROOT / "README.md"), re.DOTALL)
    assert shown is not None
    own = next(each for each in CONTRACTS if each.page.name == "README.md")
    (tmp_path / "contract.yaml").write_text(own.text.replace("consumers:", "consumer:"), "utf-8")
    done = _run("keeptime check contract.yaml", tmp_path)
    assert done.returncode == 1
    assert shown[1] in done.stdout + done.stderr
