"""The threat table: every row names a test, and every test that it names is there and has tests in it."""

import re

import pytest

from .pages import ROOT, text_of

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in text_of(ROOT / "docs/security.md").splitlines()
    if line.startswith("| ") and not line.startswith("| Threat ")
]
FAULTS = (17, 19, 37, 38, 39, 40, 42)


@pytest.mark.parametrize("row", ROWS, ids=[row[0][:60] for row in ROWS])
def test_a_threat_has_a_defence_and_a_test_that_is_there(row: list[str]) -> None:
    assert len(row) == 3
    assert all(row)
    named = re.findall(r"`(tests/[^`]+)`", row[2])
    assert named, "a row without a test is no promise"
    for each in named:
        assert re.search(r"^def test_|^    def test_", text_of(ROOT / each), re.MULTILINE), each


def test_there_is_a_table_and_each_fault_by_malice_is_in_it() -> None:
    assert len(ROWS) >= 20
    named = " ".join(row[2] for row in ROWS)
    for number in FAULTS:
        assert f"tests/faults/test_fault_{number}_" in named, f"fault {number}"
