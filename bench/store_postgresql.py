"""One tick's commit on PostgreSQL beside SQLite: the same changes, both synced to the same disk.

Real commits of 1,000 objectives, each with a histogram of its own, from an empty store on. PostgreSQL is Debian's,
on loopback, with its default fsync; each commit asks for the lease's term.
"""

import argparse
import json
import random
import tempfile
from pathlib import Path

from tests.postgres import postgres

from bench.store import DAY, END, TICK, commits
from keeptime.store.postgresql.address import address_of
from keeptime.store.postgresql.lease import Lease
from keeptime.store.postgresql.store import PostgresqlStore
from keeptime.store.sqlite import SqliteStore
from keeptime.store.stored import Stored

NOW = (END - DAY) * TICK


def measured(store: Stored, objectives: int, ticks: int, seed: int) -> dict[str, float]:
    """Milliseconds; the first commit, which makes the names, is left out."""
    took = sorted(commits(store, ticks + 1, objectives, random.Random(seed))[1:])
    return {"median": took[len(took) // 2], "p99": took[int(len(took) * 0.99)], "worst": took[-1]}


def on_sqlite(objectives: int, ticks: int, seed: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name, SqliteStore.open(Path(name), tick_seconds=TICK, now=NOW) as store:
        return measured(store, objectives, ticks, seed)


def on_postgresql(objectives: int, ticks: int, seed: int) -> dict[str, float]:
    with postgres() as server:
        address = address_of(server.url())
        lease = Lease(address, "bench", 3600.0)
        held = lease.take(lease.look(), "")
        assert held is not None
        with PostgresqlStore.open(address, name="bench", term=held.term, tick_seconds=TICK, now=NOW) as store:
            found = measured(store, objectives, ticks, seed)
        lease.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="30 commits instead of 400")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    ticks = 30 if given.quick else 400
    found = {
        "SQLite": on_sqlite(1000, ticks, given.seed),
        "PostgreSQL": on_postgresql(1000, ticks, given.seed),
    }
    print(f"one tick's commit of 1,000 objectives, {ticks} of them, in ms")
    for name, took in found.items():
        print(f"{name:12} median {took['median']:5.0f}   p99 {took['p99']:5.0f}   worst {took['worst']:5.0f}")
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps({"commits": ticks, "milliseconds": found}, indent=2))


if __name__ == "__main__":
    main()
