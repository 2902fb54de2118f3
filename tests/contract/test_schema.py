"""The JSON Schema agrees with the reader: what is valid validates, what has a wrong form does not."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from keeptime.contract.load import load_text
from keeptime.contract.nodes import Plain, value_of
from keeptime.contract.report import Report
from keeptime.contract.schema import contract_schema
from keeptime.contract.text import documents

from .given import EXAMPLES, FIXTURES

STRUCTURAL = {
    "unknown-key", "missing-key", "wrong-type", "bad-name", "bad-duration", "bad-percent", "bad-objective",
    "bad-window", "bad-size", "bad-status", "bad-method", "empty-value", "too-long", "too-many", "unknown-word",
    "unknown-policy", "unknown-signal", "unknown-receiver", "unknown-topic", "url-userinfo",
}  # fmt: skip
"""Mistakes of form in one place; the others need two places, a list outside, or more than a pattern can say."""

BEYOND = {
    "missing-endpoint": "probes need an endpoint, other observers none",
    "exclude-nothing": "needs one of three keys",
    "tls-key-alone": "needs two keys together",
    "receiver-userinfo": "a target's form depends on its kind",
    "duration-of-digits": "the length of a number",
    "every-zero": "the value of a number",
    "status-crossed": "the order of two numbers",
    "list-as-key": "JSON has no such keys",
    "too-deep": "a limit of the text",
}
VALIDATOR = Draft202012Validator(contract_schema())


def _values(path: Path) -> list[Plain]:
    return [value_of(node) for node in documents(path.read_bytes(), Report(path.name, path.parent))]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(contract_schema())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_examples_validate_and_load_without_a_word(path: Path) -> None:
    assert load_text(path.read_bytes(), str(path)).problems == ()
    for value in _values(path):
        VALIDATOR.validate(value)


def _structural() -> list[Path]:
    out = []
    for path in sorted(FIXTURES.glob("*.bad.yaml")):
        found = {problem.code for problem in load_text(path.read_bytes(), path.name).problems}
        if found & STRUCTURAL and path.name.removesuffix(".bad.yaml") not in BEYOND:
            out.append(path)
    return out


@pytest.mark.parametrize("path", _structural(), ids=lambda path: path.name.removesuffix(".bad.yaml"))
def test_a_wrong_form_does_not_validate(path: Path) -> None:
    assert not all(VALIDATOR.is_valid(value) for value in _values(path))


def test_most_bad_fixtures_are_structural() -> None:
    assert len(_structural()) >= 70
