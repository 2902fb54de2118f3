"""The outbox of a pair's database while neither of the two runs: for looking, and for replaying.

Guarantees: the lease is held meanwhile, so nobody leads; counts and ticks are not touched.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from keeptime.errors import StoreBusy, StoreUnavailable
from keeptime.store.letters import Letters
from keeptime.store.opening import migrations
from keeptime.store.postgresql.address import Address
from keeptime.store.postgresql.database import PostgresqlDatabase
from keeptime.store.postgresql.lease import Lease
from keeptime.store.postgresql.opening import prepare, tick_seconds

HELD = 60.0
"""Seconds of the lease: more than it takes, and it is given back at the end."""


@contextmanager
def letters_in(address: Address, holder: str) -> Iterator[Letters]:
    """What is done within is one transaction. `holder`: this process, under a name that no other has.

    Raises StoreBusy where a keeptime leads, and StoreError.
    """
    with closing(Lease(address, holder, HELD)) as lease:
        seen = lease.look()
        held = lease.take(seen, "") if seen.over else None
        if held is None:
            raise StoreBusy(
                f"{address.shown}: a keeptime leads on it ({seen.holder}); ask that one with --url {seen.url}"
            )
        try:
            with closing(PostgresqlDatabase(address, holder, held.term)) as db:
                seconds = tick_seconds(db)
                if seconds is None:
                    raise StoreUnavailable(f"{address.shown}: there is no store of keeptime in this database")
                prepare(db, seconds, migrations())
                with db.transaction():
                    yield Letters(db)
        finally:
            lease.release(held.term)
