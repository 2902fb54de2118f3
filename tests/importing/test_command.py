"""`keeptime import`: what it writes, what it says, and its exit codes."""

import json
from pathlib import Path

import pytest

from keeptime.cli.main import main
from keeptime.contract.load import load_files

from .given import EXAMPLES, OPENSLO, PYRRA, SLOTH, TEXTS, changed

Printed = pytest.CaptureFixture[str]
BROKEN = SLOTH.replace("99.9", "high")


@pytest.fixture
def given(tmp_path: Path) -> Path:
    file = tmp_path / "slos.yml"
    file.write_text(SLOTH)
    return file


def _run(*words: object) -> int:
    return main(["import", *map(str, words)])


def test_a_file_is_written_and_loads(given: Path, tmp_path: Path, capsys: Printed) -> None:
    output = tmp_path / "new" / "contracts.yaml"
    assert _run("sloth", given, "-o", output, "--window", "28d") == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert f"1 contract, 0 errors, 0 warnings; written to {output}. Next: keeptime check {output}" in err
    result = load_files([output])
    assert [each.name for each in result.contracts] == ["api-errors"]
    assert [each.code for each in result.problems] == ["nobody-told"]
    assert [path.name for path in output.parent.iterdir()] == ["contracts.yaml"]


@pytest.mark.parametrize("kind", TEXTS)
def test_dash_prints(kind: str, tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "x.yml").write_text(TEXTS[kind])
    assert _run(kind, tmp_path / "x.yml", "-o", "-") == 0
    out, err = capsys.readouterr()
    assert "contract: " in out
    assert err.strip().endswith("; printed")


def test_what_cannot_be_said_keeps_all_from_being_written(tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "a.yml").write_text(SLOTH)
    (tmp_path / "b.yml").write_text(BROKEN)
    output = tmp_path / "out.yaml"
    assert _run("sloth", tmp_path, "-o", output) == 1
    err = capsys.readouterr().err
    assert f"{tmp_path}/b.yml:5:16: error: slos[1].objective: 'high' is no target" in err
    assert "Nothing was written; with --partial the other contract would be." in err
    assert not output.exists()
    assert _run("sloth", tmp_path, "-o", output, "--partial") == 1
    assert "1 contract, 1 error, 1 warning; written to" in capsys.readouterr().err
    assert load_files([output]).valid


def test_nothing_to_say_is_nothing_written(tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "b.yml").write_text(BROKEN)
    output = tmp_path / "out.yaml"
    assert _run("sloth", tmp_path / "b.yml", "-o", output, "--partial") == 1
    assert "no contract, 1 error, 0 warnings. Nothing was written." in capsys.readouterr().err
    assert not output.exists()


def test_a_file_that_is_there_is_left_alone(given: Path, tmp_path: Path, capsys: Printed) -> None:
    output = tmp_path / "contracts.yaml"
    output.write_text("mine")
    assert _run("sloth", given, "-o", output) == 1
    assert "is there already; choose another file with -o, or overwrite it with --force" in capsys.readouterr().err
    assert output.read_text() == "mine"
    assert _run("sloth", given, "-o", output, "--force") == 0
    assert load_files([output]).valid


def test_a_place_that_cannot_be_written(given: Path, tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "file").write_text("")
    assert _run("sloth", given, "-o", tmp_path / "file" / "x.yaml") == 1
    assert "Nothing was written." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x89PNG\r\n\x1a\n\x00", "is not UTF-8"),
        (b"a: [", "no valid YAML"),
        (b"\x00", "cannot stand in a YAML file"),
        (b"", "the file holds nothing"),
        (b"just text", "the document is no mapping"),
        (b"- 1", "the document is no mapping"),
        (b"x: &a 1\ny: *a", "anchors and aliases (& and *) are not read"),
        (b"kind: Deployment\napiVersion: apps/v1\n", "no SLO of sloth in it"),
    ],
)
def test_what_is_no_file_of_the_tool_is_one_clear_error(
    data: bytes, says: str, tmp_path: Path, capsys: Printed
) -> None:
    (tmp_path / "x.yml").write_bytes(data)
    assert _run("sloth", tmp_path / "x.yml", "-o", tmp_path / "out.yaml") == 1
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err
    assert not (tmp_path / "out.yaml").exists()


def test_files_that_are_not_there(tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "empty").mkdir()
    assert _run("sloth", tmp_path / "none.yml", tmp_path / "empty", "-o", "-") == 1
    err = capsys.readouterr().err
    assert "there is no such file [no-file]" in err
    assert "the directory holds no *.yaml, *.yml or *.json file" in err


def test_documents_of_something_else_are_passed_over(tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "x.yml").write_text(f"apiVersion: apps/v1\nkind: Deployment\n---\n{PYRRA}---\n{OPENSLO}")
    assert _run("pyrra", tmp_path / "x.yml", "-o", "-") == 0
    out, err = capsys.readouterr()
    assert out.count("contract: ") == 1
    assert err.count("is of something else; passed over [passed-over]") == 2


def test_json_is_one_object(tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "x.yml").write_text(SLOTH)
    output = tmp_path / "out.yaml"
    assert _run("sloth", tmp_path / "x.yml", "-o", output, "--json") == 0
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == (str(tmp_path / "x.yml"), 4, 5)
    assert (problem["severity"], problem["code"]) == ("warning", "window-assumed")
    (tmp_path / "x.yml").write_text(changed(SLOTH, ("99.9", "high")))
    assert _run("sloth", tmp_path / "x.yml", "-o", tmp_path / "two.yaml", "--json") == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["contracts"], said["output"]) == ([], None)
    assert [each["code"] for each in said["problems"]] == ["bad-target"]


@pytest.mark.parametrize(
    "words",
    [
        ("sloth", "x.yml"),
        ("nobl9", "x.yml", "-o", "-"),
        ("sloth", "-o", "-"),
        ("sloth", "x.yml", "-o", "-", "--json"),
        ("sloth", "x.yml", "-o", "-", "--window", "28"),
        ("sloth", "x.yml", "-o", "-", "--prometheus", "localhost"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], capsys: Printed) -> None:
    try:
        code = _run(*words)
    except SystemExit as end:
        code = int(str(end.code))
    assert code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_examples_are_what_the_page_says(tmp_path: Path) -> None:
    for name in ("sloth", "pyrra", "openslo"):
        assert _run(name, EXAMPLES / f"{name}.yml", "-o", tmp_path / f"{name}.yaml") == 0
    assert [len(load_files([tmp_path / f"{name}.yaml"]).contracts) for name in ("sloth", "pyrra", "openslo")] == [
        3,
        4,
        2,
    ]
