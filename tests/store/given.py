"""Values that the store's tests are about."""

import sqlite3
from pathlib import Path

from keeptime.model.alert import Address, Message, Topic
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.model.sketch import Sketch
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.opening import connect, migrations
from keeptime.store.sqlite import SqliteStore

TICK = 10.0
FIRST = 180_000_001  # in 2027, and on no coarser grid
NOW = FIRST * TICK
FAST, RIGHT = ObjectiveKey("digits", "fast"), ObjectiveKey("digits", "right")
REQUESTS = SignalKey("digits", Signal.REQUESTS)
HOOK = Address("checkout", "webhook", "env:HOOK", "env:SECRET")
LOG = Address("operators", "log", "stdout")


def opened(directory: Path, *, tick: int = FIRST, tick_seconds: float = TICK) -> SqliteStore:
    return SqliteStore.open(directory, tick_seconds=tick_seconds, now=tick * tick_seconds)


def older(directory: Path, steps: int) -> sqlite3.Connection:
    """The database of an older keeptime, which knew so many steps of the schema. Close it."""
    directory.mkdir(exist_ok=True)
    return connect(directory, TICK, migrations()[:steps])


def sketch(*values: float) -> Sketch:
    made = Sketch()
    for value in values:
        made.add(value)
    return made


def counted(tick: int, good: int = 9, bad: int = 1, *, values: tuple[float, ...] = ()) -> Change:
    """One tick of FAST, with these latencies."""
    sketches = {REQUESTS: sketch(*values)} if values else {}
    return Change((tick + 1) * TICK, TickRecord(tick, {FAST: Tally(good, bad)}, sketches))


def message(name: str, key: ObjectiveKey = FAST, *to: Address) -> Message:
    return Message(name, key, Topic.BROKEN, FIRST, f'{{"id":"{name}"}}'.encode(), to or (HOOK,))
