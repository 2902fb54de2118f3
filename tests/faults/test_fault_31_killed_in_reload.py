"""Fault 31: kill -9 in mid-reload → after the restart old or new, never mixed.

Two contracts change at once, again and again; each reload is followed by a kill at a random instant of it.
"""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.keeping import Keeptime, keeping, until
from tests.e2e.peers import model
from tests.faults.scene import TERMS

VERSIONS = "SELECT at, contract, fields FROM ledger WHERE kind = 'contract' ORDER BY seq"


def both(url: str, share: int) -> str:
    one = TERMS.format(url=url).replace("90%", f"{share}%")
    return f"{one}---\n{one.replace('contract: kept', 'contract: twin')}"


def targets(one: Keeptime) -> list[float]:
    return [each["objectives"][0]["target"] for each in one.api()["contracts"]]  # type: ignore[attr-defined]


def killed(kills: int, seed: int, folder: Path) -> None:
    chance = random.Random(seed)
    with model() as served, keeping(folder, both(served.url, 50)) as one:
        one.start()
        for number in range(kills):
            share = 51 + number % 40
            one.write(both(served.url, share))
            one.signal(signal.SIGHUP)
            end = time.monotonic() + chance.uniform(0.0, 0.6)
            while time.monotonic() < end:
                first, second = targets(one)
                assert first == second, "one contract is old and the other new"
                time.sleep(0.05)
            one.kill()
            one.start()
            assert targets(one) == [share / 100] * 2
            until(lambda: one.objective()["condition"] == "ok", 20, "a verdict of the new contract")
        noted = one.rows(VERSIONS)
    moments: dict[object, set[object]] = {}
    for at, contract, _ in noted:
        moments.setdefault(at, set()).add(contract)
    assert len(moments) >= kills, "every version that was judged by is in the ledger"
    assert set(map(len, moments.values())) == {2}, "both contracts' versions were noted in one step, or neither"


def test_fault_31_kill_in_mid_reload_leaves_all_old_or_all_new(tmp_path: Path) -> None:
    killed(3, 20261126, tmp_path / "k")


@pytest.mark.soak
def test_fault_31_soak_sixty_kills(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    print(f"60 kills in mid-reload, seed {seed}")
    killed(60, seed, tmp_path / "k")
