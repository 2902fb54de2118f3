"""Files, directories, and names that are there twice."""

import os
from pathlib import Path

import pytest

from keeptime.contract.load import load_files, require
from keeptime.errors import ContractError

from .given import BASE


def _codes(*paths: Path) -> list[str]:
    return [problem.code for problem in load_files(paths).problems]


def test_a_directory_gives_its_yaml_files_in_order(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "c.txt"):
        (tmp_path / name).write_text(BASE.replace("sentiment", f"of-{name[0]}", 1))
    assert [contract.name for contract in load_files([tmp_path]).contracts] == ["of-a", "of-b"]


def test_a_missing_file_is_one_clear_problem(tmp_path: Path) -> None:
    (problem,) = load_files([tmp_path / "none.yaml"]).problems
    assert str(problem).startswith(f"{tmp_path}/none.yaml:1:1: error: there is no such file")


def test_an_empty_directory_is_a_problem(tmp_path: Path) -> None:
    assert _codes(tmp_path) == ["no-file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(BASE)
    path.chmod(0)
    assert _codes(path) == ["unreadable"]


def test_a_name_with_a_null_byte_is_a_problem() -> None:
    assert _codes(Path("a\0b.yaml")) == ["unreadable"]


def test_two_files_cannot_hold_contracts_of_one_name(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text(BASE)
    second.write_text(f"# a line\n{BASE}")
    result = load_files([first, second])
    (problem,) = result.problems
    assert problem.code == "duplicate-contract"
    assert (problem.file, problem.line) == (str(second), 2)
    assert f"{first}:1" in problem.message
    assert [contract.file for contract in result.contracts] == [str(first)]


def test_require_gives_contracts_or_every_problem(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(BASE)
    bad.write_text(BASE.replace("sentiment", "other", 1).replace("10s", "10").replace("99%", "99"))
    assert [contract.name for contract in require([good])] == ["sentiment"]
    with pytest.raises(ContractError) as caught:
        require([good, bad])
    assert [problem.code for problem in caught.value.problems] == ["bad-duration", "bad-percent"]


def test_a_document_knows_where_its_objectives_stand(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(BASE)
    (document,) = load_files([path]).documents
    assert [(place.line, place.column) for place in document.objectives] == [(8, 5)]
