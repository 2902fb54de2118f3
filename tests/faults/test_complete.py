"""Every fault has a test of its number, and a row that says what is seen and leads to that test."""

import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "delivery.md"
FAULTS = range(1, 45)
TEST = re.compile(r"^(?:async )?def test_fault_(\d\d)_\w+\(", re.MULTILINE)
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (CI[^|]*|soak[^|]*) \| (.+?) \|$", re.MULTILINE)


def numbers(file: Path) -> set[int]:
    """Of the faults that this file has tests of."""
    return {int(each) for each in TEST.findall(file.read_text("utf-8"))}


def test_every_fault_has_a_test_of_its_number() -> None:
    found = set[int]().union(*map(numbers, HERE.glob("test_*.py")))
    assert found == set(FAULTS)


def test_every_fault_has_one_row_in_order() -> None:
    assert [int(row[0]) for row in ROW.findall(PAGE.read_text("utf-8"))] == list(FAULTS)


@pytest.mark.parametrize("row", ROW.findall(PAGE.read_text("utf-8")), ids=lambda row: f"fault {row[0]}")
def test_a_row_leads_to_a_test_of_its_fault(row: tuple[str, ...]) -> None:
    files = re.findall(r"\(\.\./(tests/faults/\w+\.py)\)", row[4])
    assert files
    for each in files:
        assert int(row[0]) in numbers(HERE.parents[1] / each), f"{each} has no test of fault {row[0]}"
