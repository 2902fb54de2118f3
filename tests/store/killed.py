"""Commits as fast as it can and says after each which one returned; made to be killed. Run by test_kill."""

import sys
from pathlib import Path

from keeptime.model.alert import AlertRow, AlertState
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey
from keeptime.model.tally import Tally, TickRecord
from keeptime.model.verdict import Condition, Severity
from keeptime.store.sqlite import SqliteStore
from tests.store.given import FIRST, LOG, REQUESTS, message, sketch


def change(tick: int) -> Change:
    """Counts, a sketch, memory, a message and an alert, firing in every other tick, that all name this tick."""
    keys = [ObjectiveKey("digits", f"o{index}") for index in range(30)]
    record = TickRecord(tick, {key: Tally(1) for key in keys}, {REQUESTS: sketch(0.1)})
    told = (message(f"m{tick}", keys[0], LOG),)
    return Change(tick * 10.0, record, {"tick": str(tick).encode()}, (alert(keys[0], tick),), told)


def alert(key: ObjectiveKey, tick: int) -> AlertRow:
    began = (tick - tick % 2) * 10.0
    if tick % 2:
        return AlertRow(key, AlertState.RESOLVED, Condition.OK, None, tick * 10.0, began)
    return AlertRow(key, AlertState.FIRING, Condition.BROKEN, Severity.PAGE, began, began)


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
