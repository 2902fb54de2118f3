"""Values that the store's tests are about."""

from collections.abc import Callable, Sequence
from pathlib import Path

from keeptime.model.alert import Address as Receiver
from keeptime.model.alert import Message, Topic
from keeptime.model.change import Change
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.model.sketch import Sketch
from keeptime.model.tally import Tally, TickRecord
from keeptime.store.opening import connect, migrations
from keeptime.store.postgresql.address import Address, address_of
from keeptime.store.postgresql.database import PostgresqlDatabase
from keeptime.store.postgresql.lease import Lease
from keeptime.store.postgresql.opening import prepare
from keeptime.store.postgresql.store import PostgresqlStore
from keeptime.store.sql import Database
from keeptime.store.sqlite import SqliteStore
from keeptime.store.sqlite_database import SqliteDatabase
from keeptime.store.stored import Stored

TICK = 10.0
FIRST = 180_000_001  # in 2027, and on no coarser grid
NOW = FIRST * TICK
FAST, RIGHT = ObjectiveKey("digits", "fast"), ObjectiveKey("digits", "right")
REQUESTS = SignalKey("digits", Signal.REQUESTS)
HOOK = Receiver("checkout", "webhook", "env:HOOK", "env:SECRET")
LOG = Receiver("operators", "log", "stdout")


POSTGRESQL: list[Callable[[Path], str]] = []
"""Where this is not empty, `opened` opens the PostgreSQL database that stands for the directory."""


def opened(
    directory: Path, *, tick: int = FIRST, tick_seconds: float = TICK, steps: Sequence[str] | None = None
) -> Stored:
    now = tick * tick_seconds
    if not POSTGRESQL:
        return SqliteStore.open(directory, tick_seconds=tick_seconds, now=now, steps=steps)
    address = address_of(POSTGRESQL[0](directory))
    term = take_over(address)
    return PostgresqlStore.open(address, name="test", term=term, tick_seconds=tick_seconds, now=now, steps=steps)


def take_over(address: Address, holder: str = "test") -> int:
    """The term of a lease that is over at once, so that the next one need not wait; writing under it goes on."""
    lease = Lease(address, holder, 0.0)
    try:
        held = lease.take(lease.look(), "")
        assert held is not None
        return held.term
    finally:
        lease.close()


def older(directory: Path, steps: int) -> Database:
    """The database of an older keeptime, which knew so many steps of the schema. Close it."""
    if POSTGRESQL:
        address = address_of(POSTGRESQL[0](directory))
        db = PostgresqlDatabase(address, "test", take_over(address))
        prepare(db, TICK, migrations()[:steps])
        return db
    directory.mkdir(exist_ok=True)
    return SqliteDatabase(connect(directory, TICK, migrations()[:steps]), str(directory))


def sketch(*values: float) -> Sketch:
    made = Sketch()
    for value in values:
        made.add(value)
    return made


def counted(tick: int, good: int = 9, bad: int = 1, *, values: tuple[float, ...] = ()) -> Change:
    """One tick of FAST, with these latencies."""
    sketches = {REQUESTS: sketch(*values)} if values else {}
    return Change((tick + 1) * TICK, TickRecord(tick, {FAST: Tally(good, bad)}, sketches))


def message(name: str, key: ObjectiveKey = FAST, *to: Receiver) -> Message:
    return Message(name, key, Topic.BROKEN, FIRST, f'{{"id":"{name}"}}'.encode(), to or (HOOK,))
