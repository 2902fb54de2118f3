"""What a server's metrics cannot tell is refused when a contract is checked, in the preset's own words."""

import pytest

from keeptime.contract.load import load_text
from keeptime.contract.presets import library
from keeptime.contract.presets.preset import Asked

CONTRACT = """\
contract: refused
provider: ml-platform
model: any
observe:
  - scrape: {{url: "http://127.0.0.1:8000/metrics", preset: {preset}}}
objectives:
  - 99% of {objective} over 28d
operators:
  tell: ["log:"]
"""
ASKS = {Asked.PERCENTILES: "requests under 500ms", Asked.FAILURES: "requests succeed"}
REFUSED = [(each.name, asked) for each in library.every() for asked in each.refusals]


@pytest.mark.parametrize(("name", "asked"), REFUSED)
def test_a_refusal_says_why_and_where(name: str, asked: Asked) -> None:
    one = library.preset(name)
    assert one is not None
    text = CONTRACT.format(preset=name, objective=ASKS.get(asked, f"{asked} under 500ms"))
    result = load_text(text.encode(), "contract.yaml")
    (problem,) = [each for each in result.problems if each.severity == "error"]
    assert problem.line == 7
    assert one.refusals[asked] in problem.message
    assert one.title in problem.message


BESIDE = """\
contract: beside
provider: ml-platform
model: any
endpoint: {{url: http://127.0.0.1:5000/predict}}
observe:
  - probe: 10s
  - scrape: {{url: "http://127.0.0.1:8002/metrics", preset: triton}}
objectives:
  - {{name: p99, target: 99%, under: 250ms, over: 28d{where}}}
operators:
  tell: ["log:"]
"""


@pytest.mark.parametrize(
    ("where", "severity"),
    [("", ["warning"]), (", where: {observer: probe}", []), (", where: {observer: scrape}", ["error"])],
)
def test_what_is_asked_of_probes_is_not_asked_of_metrics(where: str, severity: list[str]) -> None:
    result = load_text(BESIDE.format(where=where).encode(), "contract.yaml")
    found = [each for each in result.problems if each.code == "percentiles-unknown"]
    assert [each.severity for each in found] == severity
