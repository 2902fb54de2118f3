"""What the house asks of every file, as far as a test can hold it."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted(ROOT.glob("src/keeptime/**/*.py"))
LONGEST = 320

HERE = Path(__file__).name


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _parsed(text: str) -> ast.Module:
    """CPython 3.11 can lose count of its own depth where something else is parsed in between (gh-106905)."""
    try:
        return ast.parse(text)
    except SystemError:
        return ast.parse(text)


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_opens_with_what_it_guarantees(path: Path) -> None:
    text = path.read_text("utf-8")
    assert ast.get_docstring(_parsed(text))
    assert len(text.splitlines()) <= LONGEST


def test_names_say_what_a_module_does() -> None:
    vague = re.compile(r"(utils?|helpers?|manager|misc|common)")
    assert [_name(path) for path in MODULES if vague.fullmatch(path.stem)] == []


def test_imports_stand_at_the_top_outside_the_command_line() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]
    assert "PLC0415" in lint["select"]
    assert [where for where, rules in lint["per-file-ignores"].items() if "PLC0415" in rules] == [
        "src/keeptime/cli/*"
    ]


def _committed() -> list[Path]:
    """Every text file that git knows; where there is no git, every file of the project."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        found = [ROOT / name for name in done.stdout.split("\0") if name]
    else:
        found = [
            path for folder in ("src", "docs", "tests", "bench", "examples") for path in ROOT.glob(f"{folder}/**/*")
        ]
    return [
        path for path in found if path.is_file() and path.name != HERE and b"\0" not in path.read_bytes()[:8192]
    ]


def test_no_text_names_a_machine_it_was_built_on() -> None:
    machine = re.compile(rb"(?<![\w.$}])/(work|tmp/w)/")
    assert [_name(path) for path in _committed() if machine.search(path.read_bytes())] == []
