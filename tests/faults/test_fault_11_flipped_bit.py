"""One bit of the database flips while keeptime is stopped: it refuses to start, says so, and keeps the file."""

import random
from pathlib import Path

from tests.faults.scene import scene
from tests.store.test_sums import flip


def test_fault_11_a_flipped_bit_is_refused_said_and_the_file_kept(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        stage.keeptime.start()
        stage.keeptime.await_events(5)
        assert stage.keeptime.end() == 0
        path, chance = stage.keeptime.data / "keeptime.db", random.Random()
        for _ in range(2):
            bit = chance.randrange(8 * path.stat().st_size)
            flip(path, bit)
            before = path.read_bytes()
            code, said = stage.keeptime.refused()
            assert code == 1, (bit, said)
            assert "damaged" in said or "no SQLite database" in said or "another program" in said, (bit, said)
            assert "it is kept as it is" in said
            assert "Traceback" not in said
            assert path.read_bytes() == before
            flip(path, bit)
        stage.keeptime.start()
        assert stage.keeptime.end() == 0, "mended, it goes on"
