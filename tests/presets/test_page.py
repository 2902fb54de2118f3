"""What is written of presets is what their files say, and can be used as it stands."""

import math
import re
from pathlib import Path

import pytest

from keeptime.contract.load import load_text
from keeptime.contract.presets import library
from keeptime.contract.presets.preset import Preset
from keeptime.contract.presets.reference import reference
from keeptime.contract.presets.snippet import usual, write
from keeptime.contract.presets.spoken import bound
from keeptime.units import parse_duration

ROOT = Path(__file__).resolve().parents[2]
EVERY = library.every()
PROBED = ("llama-cpp", "torchserve")
"""Those whose metrics can judge nothing: a contract to begin with probes them."""


def test_the_page_is_what_the_files_say() -> None:
    page = (ROOT / "docs/presets.md").read_text("utf-8")
    found = re.search(r"<!-- presets -->\n(.*)\n<!-- /presets -->", page, re.DOTALL)
    assert found is not None
    assert found[1].strip() == reference().strip(), "run scripts/reference"


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_a_bound_is_written_as_a_contract_takes_it(one: Preset) -> None:
    for metric in one.metrics:
        for each in metric.buckets:
            assert math.isclose(parse_duration(bound(each)), each, rel_tol=1e-6)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_a_contract_to_begin_with_is_valid_and_can_be_judged(one: Preset) -> None:
    result = load_text(write(one, usual(one), name=f"{one.name}-latency").encode(), "contract.yaml")
    (contract,) = result.contracts
    assert [str(each) for each in result.problems] == []
    assert bool(contract.probes) is (one.name in PROBED)
    for objective in contract.objectives:
        metric = one.metric(objective.of)
        if contract.probes or objective.under is None:
            continue
        assert metric is not None
        near = [each for each in metric.buckets if math.isclose(objective.under, each, rel_tol=1e-6)]
        assert near or not metric.buckets  # whose bounds are what it is told


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.name)
def test_each_says_where_its_facts_are_from_and_what_it_does_not_tell(one: Preset) -> None:
    assert one.source
    assert one.checked
    assert one.traps
    assert one.recognise
    told = {str(metric.signal) for metric in one.metrics}
    refused = {str(asked) for asked in one.refusals}
    signals = {"requests", "first_token", "inter_token", "output_token"}
    assert signals - told == refused & signals
