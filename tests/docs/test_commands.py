"""Every command and option, with its exit codes, is on some page."""

import argparse
import importlib
import re

import pytest

from keeptime.cli.main import COMMANDS, Command

from .pages import ROOT, text_of

PAGE = {
    "event": "events",
    "schema": "check",
    "probe": "probing",
    "receive": "consumer",
    "tell": "telling",
    "token": "tokens",
}
"""The page of a command that has none of its own name."""


def _page(command: Command) -> str:
    return text_of(ROOT / f"docs/{PAGE.get(command.name, command.name)}.md")


def _parser(command: Command) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"keeptime {command.name}")
    importlib.import_module(command.module).configure(parser)
    return parser


def _undocumented(parser: argparse.ArgumentParser, page: str) -> list[str]:
    """Options of which the page has neither the short nor the long name; help is help."""
    told = set(re.findall(r"(?<![\w-])--?[a-z][a-z0-9-]*", page))
    options = [set(action.option_strings) for action in parser._actions if action.option_strings]
    return [max(names, key=len) for names in options if not names & (told | {"--help"})]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_command_and_its_options_are_on_its_page(command: Command) -> None:
    assert f"keeptime {command.name}" in _page(command)
    assert _undocumented(_parser(command), _page(command)) == []


def test_an_option_that_is_told_nowhere_is_noticed() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", "--new")
    parser.add_argument("--old")
    assert _undocumented(parser, "`--old` is told; `--newer` is another") == ["--new"]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help_has_examples_and_exit_codes(command: Command) -> None:
    text = _parser(command).format_help()
    assert f"keeptime {command.name}" in text
    if command.name != "schema":  # prints, and cannot fail
        assert "exit codes" in text.lower()


@pytest.mark.parametrize(
    ("page", "codes"),
    [
        ("check", "012"),
        ("init", "012"),
        ("probing", "012"),
        ("status", "012"),
        ("telling", "012"),
        ("demo", "01"),
        ("run", "012"),
        ("export", "012"),
        ("import", "012"),
        ("consumer", "012"),
        ("tokens", "012"),
    ],
)
def test_exit_codes_are_on_the_page(page: str, codes: str) -> None:
    text = text_of(ROOT / f"docs/{page}.md")
    begin = re.search(r"exit code", text, re.IGNORECASE)
    assert begin is not None
    assert set(codes) <= set(re.findall(r"(?<!\w)([0-9])(?!\w)", text[begin.start() :]))
