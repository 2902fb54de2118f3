"""Segments: which one a request is in, and what it is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.contract.load import load_text
from keeptime.contract.scope import Per, Split
from keeptime.contract.segments import LONGEST, NONE, has, name_of, read, segment_of, value_of, with_segments
from keeptime.contract.written import terms
from keeptime.judge.reason import promise

from .given import FIXTURES

VERSION = Per((Split("model_version"),))
SIZE = Split("input_tokens", (1000.0, 4000.0))


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("0", "<=1000"),
        ("1000", "<=1000"),
        ("1000.5", "1000-4000"),
        ("4000", "1000-4000"),
        ("4001", ">4000"),
        ("-5", "<=1000"),
        ("nan", NONE),
        ("1e9", NONE),
        ("many", NONE),
        (None, NONE),
    ],
)
def test_a_number_is_in_one_class(given_: str | None, expected: str) -> None:
    assert value_of(SIZE, given_) == expected


def test_a_request_without_the_attribute_has_a_segment_of_its_own() -> None:
    assert segment_of(Per((Split("region"), SIZE)), {"input_tokens": "7"}) == (
        ("region", "(none)"),
        ("input_tokens", "<=1000"),
    )
    assert segment_of(VERSION, {"model_version": "half \ud800"}) == (("model_version", "half ?"),)
    assert segment_of(VERSION, {"model_version": "v" * 500}) == (("model_version", "v" * LONGEST),)


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_name_tells_the_segment_and_no_other_is_called_so(one: str, other: str) -> None:
    name = name_of("p99-500ms", (("a", one), ("b", other)))
    assert read(name) == ("p99-500ms", (("a", one), ("b", other)))
    assert name.isascii()
    assert name.isprintable()
    assert " " not in name


def test_a_name_that_people_give_is_no_segments() -> None:
    assert name_of("p99", (("model_version", "v2"),)) == "p99[model_version=v2]"
    assert read("p99-500ms") is None


def test_segments_follow_their_objective_and_only_where_they_fit() -> None:
    path = FIXTURES / "segments.good.yaml"
    (contract,) = load_text(path.read_bytes(), path.name).contracts
    (whole,) = contract.objectives
    fitting = (("model_version", "v2"), ("input_tokens", "<=1000"))
    found = with_segments(contract, [(whole.name, fitting), (whole.name, fitting[:1]), ("gone", fitting)])
    assert [each.name for each in found.objectives] == [whole.name, name_of(whole.name, fitting)]
    segment = found.objectives[1]
    assert (segment.internal, segment.segment_of, segment.per) == (True, whole.name, None)
    assert (has(whole, fitting), has(segment, fitting)) == (True, False)
    assert found.expected(segment) == 0.0, "nobody knows how many of the probes are of it"
    assert promise(segment) == "99% of requests under 500ms over 28d, model_version v2, input_tokens <=1000"
    assert terms(contract)["objectives"][0]["per"] == {
        "by": ["model_version", {"input_tokens": [1000.0, 4000.0]}],
        "most": 50,
    }
