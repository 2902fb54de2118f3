"""Files that change while keeptime watches them."""

import os
from pathlib import Path

from keeptime.app.watching import Settled, look


def text(path: Path, words: str, at: int) -> None:
    path.write_text(words)
    os.utime(path, ns=(at, at))


def test_a_change_counts_once_when_it_is_at_rest(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    text(file, "one", 1)
    paths = [str(tmp_path)]
    settled = Settled(look(paths))
    assert not settled.seen(look(paths))
    text(file, "tw", 2)
    assert not settled.seen(look(paths)), "it may still be written"
    text(file, "two", 3)
    assert not settled.seen(look(paths)), "it was"
    assert settled.seen(look(paths))
    assert not settled.seen(look(paths)), "once"


def test_what_is_put_back_as_it_was_is_no_change(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    text(file, "one", 1)
    paths = [str(file)]
    settled = Settled(look(paths))
    text(file, "two", 2)
    settled.seen(look(paths))
    text(file, "one", 1)
    assert [settled.seen(look(paths)) for _ in range(3)] == [False] * 3


def test_files_come_go_and_are_replaced(tmp_path: Path) -> None:
    text(tmp_path / "a.yaml", "one", 1)
    paths = [str(tmp_path)]
    seen = [look(paths)]
    text(tmp_path / "b.yml", "one", 1)
    seen.append(look(paths))
    text(tmp_path / "new", "two", 1)
    (tmp_path / "new").replace(tmp_path / "b.yml")
    seen.append(look(paths))
    (tmp_path / "b.yml").unlink()
    assert look(paths) == seen[0]
    assert len(set(seen)) == 3, "another file of the same size and time is another file"
    text(tmp_path / "notes.txt", "one", 1)
    assert look(paths) == seen[0], "only contracts are looked at"
    assert look([str(tmp_path / "gone.yaml")]) == frozenset()
