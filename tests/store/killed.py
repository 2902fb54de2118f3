"""Commits as fast as it can and says after each which one returned; made to be killed. Run by test_kill."""

import sys
from pathlib import Path

from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.sqlite import SqliteStore
from tests.store.given import FIRST, LOG, REQUESTS, message, sketch


def change(tick: int) -> Change:
    """Counts, a sketch, memory and a message that all name this tick."""
    keys = [ObjectiveKey("digits", f"o{index}") for index in range(30)]
    record = TickRecord(tick, {key: Tally(1) for key in keys}, {REQUESTS: sketch(0.1)})
    return Change(tick * 10.0, record, {"tick": str(tick).encode()}, messages=(message(f"m{tick}", keys[0], LOG),))


def main(directory: str) -> None:
    with SqliteStore.open(Path(directory), tick_seconds=10.0, now=FIRST * 10.0) as store:
        last = store.last_tick()
        tick = FIRST if last is None else last + 1
        while True:
            store.commit(change(tick))
            sys.stdout.write(f"{tick}\n")
            sys.stdout.flush()
            tick += 1


if __name__ == "__main__":
    main(sys.argv[1])
