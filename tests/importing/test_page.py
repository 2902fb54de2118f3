"""The page's commands print what it shows, and its codes are those of the code."""

import ast
import re
import shlex
import shutil
from pathlib import Path

import pytest

from keeptime.cli.main import main
from keeptime.contract.load import load_text

from .given import EXAMPLES

ROOT = EXAMPLES.parents[1]
PAGE = (ROOT / "docs" / "import.md").read_text("utf-8")
COMMANDS = re.findall(r"^```console\n\$ (.*)\n((?:.*\n)*?)```$", PAGE, re.MULTILINE)
SAYING = {"error", "warning", "spoil", "Problem", "_at_start"}


@pytest.mark.parametrize(("command", "shown"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_a_command_says_what_the_page_shows(
    command: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in EXAMPLES.iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    code = main(shlex.split(command)[1:])
    out, err = capsys.readouterr()
    assert out + err == shown
    assert (code == 0) == (tmp_path / "contracts.yaml").exists()


def test_every_format_has_its_command() -> None:
    assert {command.split()[2] for command, _ in COMMANDS} == {"sloth", "pyrra", "openslo"}


def test_the_contract_on_the_page_is_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = re.search(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown is not None
    shutil.copy(EXAMPLES / "sloth.yml", tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["import", "sloth", "sloth.yml", "-o", "-", "--window", "28d"]) == 0
    assert capsys.readouterr().out.split("---\n")[1] == shown[1]
    assert load_text(shown[1].encode(), "x.yaml").valid


def _codes() -> set[str]:
    """The codes in the code: the last argument but one of every call that reports."""
    found = set()
    for source in (ROOT / "src/keeptime/contract/importing").glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in SAYING and len(node.args) >= 3:
                code = node.args[-2]
                if isinstance(code, ast.Constant):
                    found.add(code.value)
    return found


def test_the_page_lists_every_code_and_no_other() -> None:
    rows = re.findall(r"^\| (`.*?) \|", PAGE.partition("## Codes")[2], re.MULTILINE)
    assert {code for row in rows for code in re.findall(r"`([a-z0-9-]+)`", row)} == _codes()
