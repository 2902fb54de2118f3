"""A bit that flips while keeptime does not run is found, wherever it is; a backup in the file's place is none."""

import random
import shutil
from pathlib import Path

import pytest

from keeptime.errors import StoreDamaged
from keeptime.model.change import Change
from tests.store.given import FIRST, NOW, counted, message, opened

pytestmark = pytest.mark.sqlite


def filled(folder: Path) -> Path:
    with opened(folder) as store:
        for tick in range(FIRST, FIRST + 20):
            store.commit(counted(tick, values=(0.1, 0.2)))
        store.commit(Change(NOW, messages=(message("told-canary"),)))
    return folder / "keeptime.db"


def flip(path: Path, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(bit // 8)
        (byte,) = file.read(1)
        file.seek(bit // 8)
        file.write(bytes([byte ^ (1 << bit % 8)]))


def test_every_flipped_bit_is_refused_and_the_file_kept(tmp_path: Path) -> None:
    path = filled(tmp_path)
    chance = random.Random(11)
    for _ in range(300):
        bit = chance.randrange(8 * path.stat().st_size)
        flip(path, bit)
        before = path.read_bytes()
        with pytest.raises(StoreDamaged, match="kept as it is"):
            opened(tmp_path)
        assert path.read_bytes() == before
        flip(path, bit)
    opened(tmp_path).close()


def test_an_older_backup_is_taken_for_what_it_is(tmp_path: Path) -> None:
    path = filled(tmp_path)
    shutil.copy(path, tmp_path / "backup")
    with opened(tmp_path, tick=FIRST + 30) as store:
        store.commit(counted(FIRST + 30))
    shutil.copy(tmp_path / "backup", path)
    with opened(tmp_path, tick=FIRST + 40) as store:
        assert store.last_tick() == FIRST + 19


@pytest.mark.parametrize("said", ["", "{", '{"crc32": 1}', "[]", "null"])
def test_a_sum_that_was_cut_short_says_nothing(tmp_path: Path, said: str) -> None:
    filled(tmp_path)
    (tmp_path / "keeptime.sum").write_text(said)
    opened(tmp_path).close()


def test_after_a_kill_a_row_that_no_longer_is_what_its_index_says_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path)
    (tmp_path / "keeptime.sum").unlink()
    whole, found = path.read_bytes(), []
    while (at := whole.find(b"told-canary", found[-1] + 1 if found else 0)) >= 0:
        found.append(at)
    assert len(found) >= 2, "in the table, and in its index"
    seen = []
    for at in found:
        flip(path, 8 * at)
        try:
            opened(tmp_path).close()
        except StoreDamaged as error:
            seen.append(str(error))
        path.write_bytes(whole)
        (tmp_path / "keeptime.sum").unlink(missing_ok=True)
    assert len(seen) >= 2, "where there is an index, both of them"


def test_after_a_kill_there_is_no_sum(tmp_path: Path) -> None:
    filled(tmp_path)
    with opened(tmp_path):
        assert not (tmp_path / "keeptime.sum").exists()
