"""What `keeptime init` proposes and writes, without an endpoint."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keeptime.contract.load import load_text
from keeptime.contract.probed import SecretRef
from keeptime.contract.starter import Thresholds, label, pleasant, propose, write
from keeptime.contract.terms import Contract

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
LATENCIES = st.lists(st.floats(1e-6, 100), min_size=1, max_size=60)


def _written(body: object = ..., headers: dict | None = None, thresholds: Thresholds | None = None) -> Contract:
    text = write(
        name="sentiment",
        file="contract.yaml",
        url="http://127.0.0.1:5000/predict?a=1&b={c}",
        method="POST",
        headers=headers or {},
        body=body,
        status=200,
        count=20,
        thresholds=thresholds or propose([0.1, 0.2]),
    )
    result = load_text(text.encode(), "contract.yaml")
    assert result.problems == ()
    return result.contracts[0]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, 0.001),
        (0.0011, 0.002),
        (0.0075, 0.008),
        (0.0101, 0.015),
        (0.1, 0.1),
        (0.101, 0.15),
        (0.41, 0.5),
        (7.6, 10),
    ],
)
def test_a_pleasant_number(seconds: float, expected: float) -> None:
    assert pleasant(seconds) == pytest.approx(expected)


@given(st.floats(0, 1000))
def test_a_pleasant_number_is_not_smaller_and_not_twice_as_large(seconds: float) -> None:
    found = pleasant(seconds)
    assert found >= seconds * (1 - 1e-9)
    assert found <= max(0.001, 2 * seconds)


def test_thresholds_are_about_twice_what_was_seen() -> None:
    found = propose([0.1] * 98 + [0.3, 0.3])
    assert (found.p50, found.p99) == (0.1, 0.3)
    assert (found.usual, found.slow) == (0.2, 0.75)


def test_nothing_measured_gives_no_threshold() -> None:
    with pytest.raises(ValueError, match="no latency"):
        propose([])


@given(LATENCIES)
def test_a_proposal_always_makes_a_contract_without_a_problem(latencies: list[float]) -> None:
    thresholds = propose(latencies)
    contract = _written(thresholds=thresholds)
    assert thresholds.usual < thresholds.slow
    assert [objective.under for objective in contract.objectives] == [
        pytest.approx(thresholds.slow),
        pytest.approx(thresholds.usual),
    ]


@given(JSON)
@example("\\ud83d\\ude00 and 😀 and \u2028\x85\x7f")
def test_any_json_body_is_written_as_it_is(body: object) -> None:
    found = _written(body).endpoint.body
    assert found is not None
    assert json.loads(found) == body


def test_headers_are_written_as_they_were_given() -> None:
    headers = {"Authorization": SecretRef("env", "TOKEN"), "X-Note": "a: b # c", "X-Number": "010"}
    assert _written(headers=headers).endpoint.headers == headers


@given(st.text())
def test_a_label_is_always_a_valid_name(text: str) -> None:
    made = label(text)
    assert 1 <= len(made) <= 63
    assert label(made) == made
