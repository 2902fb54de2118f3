"""Killed with -9 while it commits, or out of disk: every acknowledged step is there, and no half of one."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from keeptime.model.alert import AlertState
from keeptime.model.incident import IncidentQuery
from tests.store.given import FIRST, REQUESTS, opened

pytestmark = pytest.mark.sqlite

ROOT = Path(__file__).parents[2]


def whole(directory: Path, acknowledged: int) -> int:
    """Check that all parts of the store are of the same tick, not older than this one; that tick."""
    with opened(directory) as store:
        last = store.last_tick()
        assert last is not None
        assert last >= acknowledged
        assert store.memory() == {"tick": str(last).encode()}
        assert {sum(history.good) for history in store.histories(last + 1).values()} == {last + 1 - FIRST}
        assert len(store.histories(last + 1)) == 30
        assert store.sketches(REQUESTS, FIRST, last + 1).count == last + 1 - FIRST
        assert [route.waiting for route in store.outbox_summary()] == [last + 1 - FIRST]
        (alert,) = store.alerts().values()
        (newest,) = store.incidents(IncidentQuery(most=1))
        assert alert.started == newest.started == (last - last % 2) * 10, "intent and state are one step"
        assert (newest.ended is None) == (alert.state is AlertState.FIRING) == (last % 2 == 0)
        assert len(store.incidents(IncidentQuery(most=10_000))) == last // 2 + 1 - (FIRST + 1) // 2
        assert store.transitions("digits", 1)[0].message_id == f"m{last}"
        assert store.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return last


@pytest.mark.serial
def test_killed_again_and_again(tmp_path: Path) -> None:
    chance = random.Random(7)
    command = [sys.executable, "-m", "tests.store.killed", str(tmp_path)]
    last = FIRST - 1
    for _ in range(12):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for _ in range(chance.randrange(1, 60)):
                child.stdout.readline()
            try:
                child.wait(chance.uniform(0, 0.02))
            except subprocess.TimeoutExpired:
                child.kill()
            said = child.stdout.read().split()
        assert child.returncode == -9
        acknowledged = int(said[-1]) if said and said[-1].isdigit() else last
        now = whole(tmp_path, max(acknowledged, last + 1))
        assert now > last
        last = now


@pytest.mark.serial
def test_out_of_disk(tmp_path: Path) -> None:
    """A limit on file sizes stands in for a full disk: the write fails in the middle of a commit."""
    program = (
        "import resource, sys; from tests.store.killed import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))\n"
        "main(sys.argv[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "StoreUnavailable" in done.stderr
    assert "nothing was changed, and trying again helps" in done.stderr
    assert whole(tmp_path, int(done.stdout.split()[-1])) == int(done.stdout.split()[-1])
