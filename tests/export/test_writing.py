"""A directory is written whole or not at all."""

import threading
from pathlib import Path

import pytest

from keeptime.export.writing import ExportRefused, write_directory

FILES = {"a.yml": "a\n", "deep/b.yml": "b\n"}


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_what_is_new_is_written_with_its_folders(tmp_path: Path) -> None:
    write_directory(tmp_path / "new" / "out", FILES, force=False)
    assert tree(tmp_path / "new") == {"out/a.yml": "a\n", "out/deep/b.yml": "b\n"}


def test_what_exists_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("mine")
    with pytest.raises(ExportRefused, match="exists; choose another directory, or say --force"):
        write_directory(tmp_path, FILES, force=False)
    assert tree(tmp_path) == {"a.yml": "mine"}


def test_force_replaces_its_files_and_leaves_others(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.yml").write_text("old")
    (tmp_path / "out" / "mine.yml").write_text("mine")
    write_directory(tmp_path / "out", FILES, force=True)
    assert tree(tmp_path) == {"out/a.yml": "a\n", "out/deep/b.yml": "b\n", "out/mine.yml": "mine"}


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(ExportRefused, match="is a file"):
        write_directory(tmp_path / "out", FILES, force=True)
    assert tree(tmp_path) == {"out": "mine"}


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ExportRefused, match="cannot be written"):
        write_directory(tmp_path / "out", {**FILES, "a.yml/under-a-file": "x"}, force=False)
    assert list(tmp_path.iterdir()) == []


def test_of_two_at_once_one_is_refused_and_the_other_whole(tmp_path: Path) -> None:
    said: list[str] = []

    def write(text: str) -> None:
        try:
            write_directory(tmp_path / "out", {f"{n}.yml": text for n in range(50)}, force=False)
        except ExportRefused as error:
            said.append(str(error))

    threads = [threading.Thread(target=write, args=(text,)) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(tree(tmp_path).values())) == 1
    assert len(said) == 1
