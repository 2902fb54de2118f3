"""Presets: every one that is brought is legal, and a wrong file says everything that is wrong with it."""

import pytest
import yaml

from keeptime.contract.load import load_text
from keeptime.contract.presets import library
from keeptime.contract.presets.matchers import Matchers
from keeptime.contract.presets.preset import Asked, Fidelity, Kind
from keeptime.contract.sources import Unit
from keeptime.contract.written import terms
from keeptime.errors import ContractError
from keeptime.model.key import Signal


@pytest.mark.parametrize("name", library.names())
def test_every_preset_is_legal_and_recognised_by_what_it_says(name: str) -> None:
    found = library.preset(name)
    assert found is not None
    assert found.name == name
    if found.recognise:
        assert library.recognised(found.recognise)[0].name == name


def test_there_is_no_other() -> None:
    assert "vllm" in library.names()
    assert library.preset("vlm") is None
    assert library.recognised(["up"]) == []


GIVEN = """\
preset: mine
title: Mine
attributes: {model: name}
metrics:
  - signal: requests
    histogram: [took_ms, took_milliseconds]
    unit: milliseconds
    buckets: {from: 10us, times: 2, bounds: 3}
    selector: stream="true"
    failed: code!~"2.."
  - {signal: first_token, counter: firsts_total, sum: firsts_ms, failures: lost_total}
traps: [It lies.]
refusals: {percentiles: "There are none."}
"""


def test_a_file_says_all_of_a_preset() -> None:
    found = library.parse(GIVEN.encode(), "mine.yaml")
    requests = found.metric(Signal.REQUESTS)
    assert requests is not None
    assert requests.names == ("took_ms", "took_milliseconds")
    assert (requests.unit, requests.buckets) == (Unit.MILLISECONDS, pytest.approx((1e-5, 2e-5, 4e-5)))
    assert (requests.fidelity, requests.tells_failures) == (Fidelity.HISTOGRAM, True)
    first = found.metric(Signal.FIRST_TOKEN)
    assert first is not None
    assert (first.kind, first.fidelity, first.failures, first.sum) == (
        Kind.COUNTER,
        Fidelity.MEAN,
        ("lost_total",),
        "firsts_ms",
    )
    assert found.metric(Signal.OUTPUT_TOKEN) is None
    assert found.refusals == {Asked.PERCENTILES: "There are none."}


WRONG = {
    "one-kind-of-metric": GIVEN.replace("counter: firsts_total, ", ""),
    "signal-twice": GIVEN.replace("first_token", "requests"),
    "bad-metric": GIVEN.replace("took_ms,", "took-ms,"),
    "bad-label": GIVEN.replace("{model: name}", "{model: a-b}"),
    "bad-selector": GIVEN.replace('code!~"2.."', 'code!~"(2"'),
    "field-unused": GIVEN.replace("counter: firsts_total", "gauge: firsts"),
    "unknown-word": GIVEN.replace("percentiles:", "medians:"),
    "out-of-range": GIVEN.replace("times: 2", "times: 1"),
    "bounds-crossed": GIVEN.replace("{from: 10us, times: 2, bounds: 3}", "[2s, 1s]"),
    "one-preset": GIVEN + "---\n" + GIVEN,
    "bad-name": GIVEN.replace("preset: mine", "preset: yours"),
    "missing-key": GIVEN.replace("title: Mine\n", ""),
}


@pytest.mark.parametrize(("code", "text"), WRONG.items(), ids=list(WRONG))
def test_a_wrong_file_says_where_and_why(code: str, text: str) -> None:
    with pytest.raises(ContractError) as wrong:
        library.parse(text.encode(), "mine.yaml")
    assert code in [each.code for each in wrong.value.problems]


@pytest.mark.parametrize(
    ("text", "labels", "fit"),
    [
        ("", {}, True),
        ('code="200"', {"code": "200"}, True),
        ('code="200"', {}, False),
        ('code=""', {}, True),
        ('code!="200"', {}, True),
        ('code=~"2.."', {"code": "200"}, True),
        ('code=~"2"', {"code": "200"}, False),
        ('code!~"2..",model="a"', {"code": "500", "model": "a"}, True),
        ('code!~"2..",model="a"', {"code": "500", "model": "b"}, False),
        ('code!~"2.."', {"code": "9" * 10_000}, True),
    ],
)
def test_matchers_mean_what_they_mean_in_promql(text: str, labels: dict[str, str], fit: bool) -> None:
    assert Matchers(text).fit(labels) is fit


def test_a_contract_with_metrics_of_its_own_is_written_as_it_was_read() -> None:
    text = """\
contract: predict
observe:
  - scrape:
      url: http://127.0.0.1:9000/metrics
      every: 15s
      timeout: 3s
      headers: {Authorization: env:METRICS_TOKEN}
      selector: job="a"
      attributes: {model: model_name, status: code}
      metrics:
        - signal: requests
          histogram: [took_ms, took_milliseconds]
          unit: milliseconds
          buckets: {from: 150us, times: 1.5, bounds: 30}
          failed: code!~"2.."
        - {signal: first_token, counter: firsts_total, sum: firsts_ms, failures: lost_total}
objectives:
  - 99.9% of requests succeed over 28d
operators: {tell: ["log:"]}
"""
    (contract,) = load_text(text.encode(), "c.yaml").contracts
    again = load_text(yaml.safe_dump(terms(contract)).encode(), "c.yaml")
    assert again.contracts == (contract,), again.problems
