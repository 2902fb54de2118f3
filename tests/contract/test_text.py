"""What is wrong with the text itself, and inputs that are made to hurt."""

import pytest
import yaml

from keeptime.contract.nodes import Broken, Listing, Mapped, Node, Scalar
from keeptime.contract.report import MOST, Report
from keeptime.contract.text import LARGEST, documents

from .given import BASE, codes, problems

PARSERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]


def _tree(data: bytes, parser: type, report: Report) -> list[Node]:
    return list(documents(data, report, parser))


@pytest.fixture(params=PARSERS, ids=lambda parser: parser.__name__)
def parser(request: pytest.FixtureRequest) -> type:
    return request.param


@pytest.fixture
def report(tmp_path) -> Report:
    return Report("contract.yaml", tmp_path)


def test_places_count_from_one(parser: type, report: Report) -> None:
    (tree,) = _tree(b"a: 1\nb:\n  - \xc3\xa9: x\n", parser, report)
    assert isinstance(tree, Mapped)
    inner = tree.entries[1].value
    assert isinstance(inner, Listing)
    assert isinstance(inner.items[0], Mapped)
    value = inner.items[0].entries[0].value
    assert (value.place.line, value.place.column) == (3, 8)


def test_a_scalar_is_its_text(parser: type, report: Report) -> None:
    (tree,) = _tree(b"[on, yes, 1:30, 010, 'on', ~]", parser, report)
    assert isinstance(tree, Listing)
    assert [item.text for item in tree.items if isinstance(item, Scalar)] == ["on", "yes", "1:30", "010", "on", "~"]
    assert [item.plain for item in tree.items if isinstance(item, Scalar)] == [True, True, True, True, False, True]


@pytest.mark.timeout(20)
def test_nine_billion_laughs_stay_small(parser: type, report: Report) -> None:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 200)]
    (tree,) = _tree("\n".join(lines).encode(), parser, report)
    assert isinstance(tree, Mapped)
    assert all(isinstance(entry.value, Broken) for entry in tree.entries)
    assert {problem.code for problem in report.problems} == {"alias", "too-many"}
    assert len(report.problems) == MOST + 1


DEEP = {
    "flow": b"[" * 500_000,
    "block": b"- " * 250_000,
    "keys": b"{a: " * 200_000,
    "closed": b"[" * 900 + b"]" * 900,
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("data", DEEP.values(), ids=DEEP)
def test_depth_is_refused_before_it_hurts(data: bytes, parser: type, report: Report) -> None:
    assert _tree(data, parser, report) == []
    assert [problem.code for problem in report.problems] == ["too-deep"]


@pytest.mark.timeout(20)
def test_a_file_of_ten_megabytes_is_refused_with_the_limit() -> None:
    (problem,) = problems(BASE.encode() + b"#" * 10_000_000)
    assert problem.code == "too-large"
    assert "1 MiB" in problem.message


def test_a_file_at_the_limit_is_read() -> None:
    assert codes(BASE.encode() + b"#" * (LARGEST - len(BASE))) == []


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "data",
    ["\n".join(f"k{i}: 1" for i in range(60_000)), "[" + "1," * 300_000 + "]", "---\na: 1\n" * 20_000, "? " * 10],
    ids=["keys", "items", "documents", "questions"],
)
def test_a_file_full_of_mistakes_ends_soon_and_with_few_words(data: str) -> None:
    found = problems(data)
    assert 0 < len(found) <= 501 * 6


@pytest.mark.parametrize(
    ("data", "place"),
    [(b"a: \xff", (1, 4)), (b"a: 1\nb: caf\xe9\n", (2, 7)), ("é: ü\nb: ".encode() + b"\xc3", (2, 4))],
)
def test_a_byte_that_is_not_utf8_has_a_place(data: bytes, place: tuple[int, int]) -> None:
    (problem,) = problems(data)
    assert problem.code == "not-utf8"
    assert (problem.line, problem.column) == place


def test_a_surrogate_is_no_character(parser: type, report: Report) -> None:
    trees = _tree(b'"\\ud800"', parser, report)
    assert all(isinstance(tree, Broken) for tree in trees)
    assert [problem.code for problem in report.problems] in (["control-character"], ["yaml-syntax"])


def test_a_mistake_in_the_second_document_keeps_the_first(parser: type, report: Report) -> None:
    trees = _tree(b"a: 1\n---\nb: [\n", parser, report)
    assert len(trees) == 1
    assert [problem.code for problem in report.problems] == ["yaml-syntax"]


def test_a_misspelt_key_is_reported_once() -> None:
    assert codes(BASE.replace("objectives:", "objektives:")) == ["unknown-key"]


def test_many_warnings_are_cut_but_make_no_contract_invalid() -> None:
    people = "".join(f"  - name: c{i}\n    tell: [webhook:env:A, webhook:env:B]\n" for i in range(100))
    found = problems(f"{BASE}consumers:\n{people}")
    assert len(found) == MOST + 1
    assert {problem.severity for problem in found} == {"warning"}


def test_many_warnings_do_not_hide_an_error() -> None:
    people = "".join(f"  - name: c{i}\n    tell: [webhook:env:A, webhook:env:B]\n" for i in range(100))
    assert "bad-duration" in codes(f"{BASE}consumers:\n{people}no_data_after: 60\n")
