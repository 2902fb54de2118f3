"""Who leads: one row of the database, held for a short while and renewed, with a term that counts up.

Guarantees: at most one process holds a term, and a term is never given twice; whether the lease is over is decided
by the database's clock alone. Whoever takes it ends the connections of the one before, so that one that stands
still holds up nothing. Use it from one thread; `cut` may come from any.
"""

from dataclasses import dataclass, replace

from psycopg import Connection

from keeptime.clock import boot_ns
from keeptime.errors import StoreError
from keeptime.store.postgresql.address import Address
from keeptime.store.postgresql.connecting import SCHEMA, connect, cut
from keeptime.store.postgresql.failures import Speaking

_MAKE = (
    f"SELECT pg_advisory_xact_lock(hashtext('{SCHEMA}')); "
    f"DO $$ BEGIN IF to_regnamespace('{SCHEMA}') IS NULL THEN CREATE SCHEMA {SCHEMA}; END IF; END $$; "
    "CREATE TABLE IF NOT EXISTS lease (one INTEGER PRIMARY KEY CHECK (one = 1), term BIGINT NOT NULL UNIQUE, "
    "holder TEXT NOT NULL, url TEXT NOT NULL, since TIMESTAMPTZ NOT NULL, expires TIMESTAMPTZ NOT NULL); "
    "INSERT INTO lease VALUES (1, 0, '', '', now(), now()) ON CONFLICT (one) DO NOTHING"
)
_THERE = f"SELECT to_regclass('{SCHEMA}.lease') IS NOT NULL"
_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000000)::bigint"
_LOOK = (
    f"SELECT term, holder, url, extract(epoch FROM since)::float8, expires <= clock_timestamp(), {_NOW} FROM lease"
)
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE application_name = %s AND datname = current_database() AND pid <> pg_backend_pid() "
    "AND EXISTS (SELECT 1 FROM lease WHERE term = %s AND expires <= clock_timestamp())"
)
_LATER = "clock_timestamp() + make_interval(secs => %s)"
_TAKE = (
    f"UPDATE lease SET term = term + 1, holder = %s, url = %s, since = clock_timestamp(), expires = {_LATER} "
    "WHERE term = %s AND expires <= clock_timestamp()"
)
_RENEW = f"UPDATE lease SET url = %s, expires = {_LATER} WHERE term = %s AND holder = %s"
_RELEASE = "UPDATE lease SET expires = clock_timestamp() WHERE term = %s AND holder = %s"


@dataclass(frozen=True, slots=True)
class Seen:
    """The lease as the database has it, and what that says of the time.

    `since`: Unix seconds. `ahead_ns`: the database's wall clock is by so much ahead of this machine's boot clock,
    at least and at most. `asked_ns`: of the boot clock, before the lease was asked for.
    """

    term: int
    holder: str
    url: str
    since: float
    over: bool
    ahead_ns: tuple[int, int]
    asked_ns: int = 0


class Lease:
    """`holder`: this process, under a name that no other has. `seconds`: for how long it is held."""

    def __init__(self, address: Address, holder: str, seconds: float) -> None:
        self._address, self._holder, self._seconds = address, holder, seconds
        self._connection: Connection | None = None
        self._made = False

    @property
    def where(self) -> str:
        return self._address.shown

    def look(self) -> Seen:
        """Who holds it. Raises StoreError."""
        connection = self._now()
        with Speaking(self._address):
            before = boot_ns()
            row = connection.execute(_LOOK).fetchone()
            after = boot_ns()
        if row is None:
            raise StoreError(f"{self.where}: its table {SCHEMA}.lease is empty; drop it, and it is made anew")
        term, holder, url, since, over, now = row
        return Seen(term, holder, url, since, over, (now - after, now - before))

    def take(self, seen: Seen, url: str) -> Seen | None:
        """Hold it, if it is over and still as it was `seen`; None where another was faster. Raises StoreError."""
        connection, asked = self._now(), boot_ns()
        with Speaking(self._address):
            if seen.holder:
                connection.execute(_END_OTHERS, (seen.holder, seen.term))
            done = connection.execute(_TAKE, (self._holder, url, self._seconds, seen.term))
            if not done.rowcount:
                return None
        now = self.look()
        return replace(now, asked_ns=asked) if (now.term, now.holder) == (seen.term + 1, self._holder) else None

    def renew(self, term: int, url: str) -> Seen | None:
        """Hold it for as long again, even where it was over, if nobody has taken it; None if somebody has."""
        connection, asked = self._now(), boot_ns()
        with Speaking(self._address):
            done = connection.execute(_RENEW, (url, self._seconds, term, self._holder))
        return replace(self.look(), asked_ns=asked) if done.rowcount else None

    def release(self, term: int) -> None:
        """Let another have it at once."""
        connection = self._now()
        with Speaking(self._address):
            connection.execute(_RELEASE, (term, self._holder))

    def cut(self) -> None:
        """From any thread: what waits for an answer fails now."""
        cut(self._connection)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _now(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._address, f"{self._holder} lease")
        if not self._made:
            self._make(self._connection)
        return self._connection

    def _make(self, connection: Connection) -> None:
        """The schema and the row, where they are not there; two that do it at once wait for each other."""
        with Speaking(self._address):
            row = connection.execute(_THERE).fetchone()
            if row is None or not row[0]:
                with connection.transaction():
                    connection.execute(_MAKE)
        self._made = True
