"""`keeptime run` killed with -9 again and again while a breach begins and ends: the consumer still hears all of it.

Each life is killed at a random instant of its probing, judging, committing and sending, and the next one goes on
from the same store.
"""

import json
import os
import random
import sqlite3
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.commands import run
from tests.e2e.keeping import SECRET, until
from tests.e2e.peers import Consumer, Model, consumer, model
from tests.faults.test_fault_01_kills import figures

TERMS = """\
contract: killed
endpoint: {{url: "{url}", method: POST, json: {{data: 1}}}}
observe:
  - probe: {{every: 100ms, timeout: 2s}}
objectives:
  - 90% of requests under 200ms over 10s
policy:
  burn-rate:
    tiers: [{{severity: page, long: 3s, short: 1s, factor: 2}}]
consumers:
  - name: checkout
    tell: [{{webhook: {{url: "env:KILLED_HOOK", secret: "env:KILLED_SECRET"}}}}]
"""


@dataclass
class Lives:
    """Runs of keeptime on one store, one after the other."""

    folder: Path
    contract: Path
    hook: str

    def start(self) -> subprocess.Popen[bytes]:
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        options = ["--tick", "1s", "--listen", "127.0.0.1:0", "--data", str(self.folder / "data")]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "keeptime", "run", str(self.contract), *options, "--ready-file", str(ready)],
                env=os.environ | {"KILLED_HOOK": self.hook, "KILLED_SECRET": SECRET},
                stdout=log,
                stderr=log,
            )
        try:
            until(ready.exists, 60, "keeptime to start")
        except AssertionError:
            process.kill()
            raise
        return process

    def condition(self) -> str | None:
        url = json.loads((self.folder / "ready.json").read_text())["url"]
        with urllib.request.urlopen(f"{url}/api/v1/contracts", timeout=5) as answer:
            return str(json.load(answer)["contracts"][0]["objectives"][0]["condition"])

    def messages(self) -> list[tuple[str, bool]]:
        """(id, delivered) of every message to the consumer, in the order in which they were decided."""
        with sqlite3.connect(f"file:{self.folder / 'data' / 'keeptime.db'}?mode=ro", uri=True) as db:
            return [(name, done is not None) for name, done in db.execute(MESSAGES)]


MESSAGES = """
SELECT m.message_id, o.delivered FROM outbox o JOIN message m ON m.id = o.message ORDER BY o.row
"""


def rampage(kills: int, seed: int, lives: Lives, victim: Model, told: Consumer) -> None:
    """Kill so many lives; breaches begin and end all the while: three lives slow, then four fast."""
    chance = random.Random(seed)
    for number in range(kills):
        victim.delay = 0.35 if number % 7 in (1, 2, 3) else 0.0
        process = lives.start()
        time.sleep(chance.uniform(1.0, 4.0))
        process.kill()
        process.wait()
    victim.delay = 0.0
    process = lives.start()
    try:
        until(lambda: lives.condition() == "ok", 40, "the promise to hold again")
        until(lambda: all(done for _, done in lives.messages()), 40, "every message to be delivered")
    finally:
        process.terminate()
        assert process.wait(20) == 0


def check(kills: int, seed: int, folder: Path) -> None:
    with model() as victim, consumer() as told:
        contract = folder / "contract.yaml"
        contract.write_text(TERMS.format(url=victim.url))
        lives = Lives(folder, contract, told.url)
        rampage(kills, seed, lives, victim, told)
        sent = [name for name, _ in lives.messages()]
    print(f"{kills} kills of keeptime run (seed {seed}): {figures(sent, told.once(), len(told.received))}")
    assert [name for name in sent if name not in told.once()] == []
    assert told.once() == sent, "received in another order"
    assert len(set(told.received)) == len(told.once()), "a repeat had another body"
    assert "broken" in told.topics()
    assert told.topics()[-1] == "recovered"
    assert run("ledger", "verify", "--data", str(folder / "data")) == 0


def test_fault_01_the_daemon_is_killed_while_breaches_begin_and_end(tmp_path: Path) -> None:
    check(5, 20261124, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_fault_01_the_daemon_is_killed_two_hundred_times(tmp_path: Path) -> None:
    check(200, random.randrange(2**32), tmp_path)
