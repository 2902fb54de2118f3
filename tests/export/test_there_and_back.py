"""From the command line: a contract to another format and back, with what is written checked on the way."""

from dataclasses import replace
from pathlib import Path

import pytest

from keeptime.cli.main import main
from keeptime.contract.load import load_files
from keeptime.export.leaving_out import sayable

EXAMPLES = Path(__file__).parents[2] / "examples" / "contracts"


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.yaml")))
def test_to_openslo_and_back(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contracts = sayable("openslo", load_files([EXAMPLES / name]).contracts)
    folder, output = str(tmp_path / "openslo"), str(tmp_path / "back.yaml")
    assert main(["export", "openslo", str(EXAMPLES / name), "-o", folder]) == 0
    assert main(["import", "openslo", folder, "-o", output]) == 0
    assert "0 errors, 0 warnings; written" in capsys.readouterr().err
    back = load_files([output]).contracts
    unplaced = [replace(each, file="", version="") for each in contracts]
    assert [replace(each, file="", version="") for each in back] == unplaced


def test_to_sloth_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, output = str(tmp_path / "sloth"), str(tmp_path / "back.yaml")
    assert main(["export", "sloth", str(EXAMPLES / "minimal.yaml"), "-o", folder]) == 0
    assert main(["import", "sloth", folder, "-o", output]) == 0
    (contract,), (back,) = load_files([EXAMPLES / "minimal.yaml"]).contracts, load_files([output]).contracts
    assert back.objectives[0].target == contract.objectives[0].target
    assert back.objectives[0].over == contract.objectives[0].over


def test_a_calendar_window_for_sloth_is_one_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "sloth", str(EXAMPLES / "sentiment.yaml"), "-o", str(tmp_path / "x")]) == 2
    assert "Sloth has no calendar month" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
