"""Contracts that the tests start from."""

from pathlib import Path

from keeptime.contract.load import load_text
from keeptime.contract.terms import Contract
from keeptime.errors import Problem

FIXTURES = Path(__file__).parent / "fixtures"
EXAMPLES = Path(__file__).parents[2] / "examples" / "contracts"
DOCS = Path(__file__).parents[2] / "docs"

BASE = """\
contract: sentiment
endpoint:
  url: http://127.0.0.1:5000/predict
  json: {data: sample_input}
observe:
  - probe: {every: 10s, timeout: 5s}
objectives:
  - 99% of requests under 500ms over 28d
operators:
  tell: ["log:"]
"""
OBJECTIVE = "99% of requests under 500ms over 28d"


def changed(old: str, new: str) -> str:
    """The base contract with one change; the old text must be there."""
    assert old in BASE
    return BASE.replace(old, new, 1)


def valid(text: str) -> Contract:
    """The one contract of a text that has no error."""
    result = load_text(text.encode(), "contract.yaml")
    assert result.valid, "\n".join(map(str, result.problems))
    (contract,) = result.contracts
    return contract


def problems(text: str | bytes) -> tuple[Problem, ...]:
    return load_text(text.encode() if isinstance(text, str) else text, "contract.yaml").problems


def codes(text: str | bytes) -> list[str]:
    return [problem.code for problem in problems(text)]
