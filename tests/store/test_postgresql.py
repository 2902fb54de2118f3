"""What is PostgreSQL's own: the lease and its term, a connection that fails, a commit whose answer is lost, and
what is said of all that without a password."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from keeptime.errors import StoreError, StoreFenced, StoreUnavailable, UsageError
from keeptime.model.change import Change
from keeptime.store.opening import migrations
from keeptime.store.postgresql import connecting
from keeptime.store.postgresql.address import Address, address_of
from keeptime.store.postgresql.database import PostgresqlDatabase
from keeptime.store.postgresql.lease import Lease
from keeptime.store.postgresql.opening import for_postgresql
from keeptime.store.postgresql.store import PostgresqlStore
from tests.nobody import nobody_listening
from tests.postgres import Databases
from tests.store.given import FAST, FIRST, LOG, NOW, TICK, counted, message, take_over

pytestmark = pytest.mark.sqlite  # once is enough: each opens what it needs itself


@pytest.fixture
def address(databases: Databases) -> Iterator[Address]:
    with databases.one() as url:
        yield address_of(url)


def opened(
    address: Address, holder: str = "test", *, tick: int = FIRST, term: int | None = None
) -> PostgresqlStore:
    held = take_over(address, holder) if term is None else term
    return PostgresqlStore.open(address, name=holder, term=held, tick_seconds=TICK, now=tick * TICK)


def end_connections(address: Address, name: str) -> None:
    with psycopg.connect(address.url, autocommit=True) as admin:
        mine = "application_name = %s AND datname = current_database()"
        admin.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}", (name,))  # type: ignore[arg-type]


def test_one_leads_and_another_only_when_the_lease_is_over(address: Address) -> None:
    first, second = Lease(address, "first", 60.0), Lease(address, "second", 60.0)
    free = second.look()
    assert (free.term, free.over) == (0, True)
    held = first.take(first.look(), "http://a")
    assert held is not None
    assert (held.term, held.holder, held.url, held.over) == (1, "first", "http://a", False)
    assert second.take(free, "http://b") is None, "as it was seen before, it was over"
    assert second.take(second.look(), "http://b") is None
    assert first.renew(1, "http://a2") is not None
    first.release(1)
    taken = second.take(second.look(), "http://b")
    assert taken is not None
    assert (taken.term, taken.holder) == (2, "second")
    assert first.renew(1, "http://a") is None
    assert second.look() == second.renew(2, "http://b") or second.look().holder == "second"
    first.close()
    second.close()


def test_who_is_too_late_to_take_the_lease_ends_no_connection(address: Address) -> None:
    with opened(address, "old") as old:
        lease = Lease(address, "old", 60.0)
        late = lease.look()
        assert late.over
        assert lease.renew(late.term, "") is not None
        other = Lease(address, "new", 60.0)
        assert other.take(late, "") is None
        old.commit(counted(FIRST))
        lease.close()
        other.close()


def test_a_lease_that_is_over_goes_on_if_nobody_took_it(address: Address) -> None:
    lease = Lease(address, "first", 0.0)
    held = lease.take(lease.look(), "")
    assert held is not None
    assert held.over
    assert lease.renew(held.term, "") is not None
    lease.close()


def test_whoever_is_fenced_writes_nothing_and_says_so(address: Address) -> None:
    old = opened(address, "old")
    old.commit(counted(FIRST))
    old.commit(Change(NOW, messages=(message("m1", FAST, LOG),)))
    (row,) = old.heads(NOW)
    new = opened(address, "new", tick=FIRST + 5)
    assert [each.message_id for each in new.heads(NOW)] == ["m1"], "the same row, id and body"
    with pytest.raises(StoreUnavailable):  # its connection was ended
        old.commit(counted(FIRST + 1))
    for write in (
        lambda: old.commit(counted(FIRST + 1)),
        lambda: old.delivered(row.row, NOW, "204"),
        lambda: old.failed(row.row, NOW, NOW + 5, "500"),
        lambda: old.replay(NOW, rows=None, contract=None),
    ):
        with pytest.raises(StoreFenced, match="another keeptime leads now"):
            write()
    assert (new.last_tick(), new.outbox_summary()[0].waiting) == (FIRST, 1)
    new.commit(counted(FIRST + 5))
    old.close()
    new.close()


def half_and_half(store: PostgresqlStore, meanwhile: Callable[[], None]) -> None:
    with store.db.transaction():
        store.db.execute("INSERT INTO memory VALUES (?, ?)", ("half", b""))
        meanwhile()
        store.db.execute("INSERT INTO memory VALUES (?, ?)", ("other half", b""))


def test_taking_the_lease_ends_who_stands_still_within_a_transaction(address: Address) -> None:
    """A stopped process holds its locks for as long as its connection lives."""
    old = opened(address, "old")
    terms: list[int] = []
    with pytest.raises(StoreUnavailable, match="trying again helps"):
        half_and_half(old, lambda: terms.append(take_over(address, "new")))
    with opened(address, "new", term=terms[0]) as new:
        assert new.memory() == {}
    with pytest.raises(StoreFenced):
        old.commit(counted(FIRST))
    old.close()


def test_a_connection_that_was_ended_is_opened_again(address: Address) -> None:
    with opened(address) as store:
        store.commit(counted(FIRST))
        end_connections(address, "test")
        with pytest.raises(StoreUnavailable, match="trying again helps") as caught:
            store.commit(counted(FIRST + 1))
        assert caught.value.retry
        store.commit(counted(FIRST + 1))
        assert sum(store.histories(FIRST + 2)[FAST].good) == 18


class LosesTheAnswer(PostgresqlDatabase):
    """Its connection fails when a transaction ends: before the server heard of it, or after."""

    lose = ""

    def _commit(self, connection: psycopg.Connection, what: object, xid: str) -> None:
        if self.lose == "answer":
            connection.execute("COMMIT")
        if self.lose:
            self.lose = ""
            connecting.cut(connection)
        super()._commit(connection, what, xid)


@pytest.mark.parametrize("lose", ["request", "answer"])
def test_a_commit_whose_answer_is_lost_is_not_counted_twice(address: Address, lose: str) -> None:
    with opened(address) as store:
        store.commit(counted(FIRST))
        database = LosesTheAnswer(address, "test", store.postgresql._term)
        store.close()
        store.db = store.names.db = database
        change = counted(FIRST + 1)
        database.lose = lose
        with pytest.raises(StoreUnavailable):
            store.commit(change)
        store.commit(change)
        assert sum(store.histories(FIRST + 2)[FAST].good) == 18
        store.commit(counted(FIRST + 1))  # the same counts once more are counts once more
        assert sum(store.histories(FIRST + 2)[FAST].good) == 27
        database.close()


def test_names_that_were_read_before_such_a_commit_was_kept_are_read_again(address: Address) -> None:
    with opened(address) as store:
        database = LosesTheAnswer(address, "test", store.postgresql._term)
        store.close()
        store.db = store.names.db = database
        change, database.lose = counted(FIRST), "answer"
        with pytest.raises(StoreUnavailable):
            store.commit(change)
        store.names.objectives, store.names.born, store.names.signals = {}, {}, {}  # the server still ended it
        store.commit(change)
        store.commit(counted(FIRST + 1))
        assert sum(store.histories(FIRST + 2)[FAST].good) == 18
        database.close()


def test_what_is_cut_fails_at_once_and_for_good(address: Address) -> None:
    store = opened(address)
    store.cut("the lease is over")
    for _ in range(2):
        with pytest.raises(StoreFenced, match="the lease is over"):
            store.commit(counted(FIRST))
    store.close()


def test_texts_that_postgresql_does_not_take(address: Address) -> None:
    with opened(address) as store:
        store.commit(Change(NOW, messages=(message("m1"),)))
        store.failed(store.heads(NOW)[0].row, NOW, NOW, "it said \x00 and \ud800")
        assert store.outbox_summary()[0].last_error == "it said \ufffd and ?"


def test_a_newer_schema_and_other_ticks_are_refused(address: Address) -> None:
    opened(address).close()
    steps = migrations()
    with pytest.raises(StoreError, match=f"a newer keeptime wrote it .schema {len(steps)}"):
        PostgresqlStore.open(
            address, name="test", term=take_over(address), tick_seconds=TICK, now=NOW, steps=steps[:2]
        )
    with pytest.raises(StoreError, match="ticks of 10 s and cannot be used with 5 s"):
        PostgresqlStore.open(address, name="test", term=take_over(address), tick_seconds=5.0, now=NOW)


def test_a_step_that_fails_leaves_the_old_schema(address: Address) -> None:
    opened(address).close()
    later = "CREATE TABLE later (id INTEGER PRIMARY KEY) STRICT;\n"
    steps = (*migrations(), later + later)
    with pytest.raises(StoreError, match="already exists"):
        PostgresqlStore.open(address, name="test", term=take_over(address), tick_seconds=TICK, now=NOW, steps=steps)
    with opened(address) as store:
        assert store.db.execute("SELECT to_regclass('later') IS NULL").fetchone() == (True,)


def test_every_commit_is_synced_whatever_the_database_says(address: Address) -> None:
    name = address.url.rpartition("/")[2]
    with psycopg.connect(address.url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off")  # type: ignore[arg-type]
    with opened(address) as store:
        assert store.db.execute("SHOW synchronous_commit").fetchone() == ("on",)
    with psycopg.connect(address.url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} RESET synchronous_commit")  # type: ignore[arg-type]


def test_types_are_translated() -> None:
    step = "CREATE TABLE a (id INTEGER PRIMARY KEY, x REAL, y BLOB NOT NULL, z TEXT) STRICT;\nDROP TABLE a;\n"
    made, dropped = for_postgresql(step)
    assert made.strip() == (
        "CREATE TABLE a (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, x DOUBLE PRECISION, "
        'y BYTEA NOT NULL, z TEXT COLLATE "C");'
    )
    assert dropped.strip() == "DROP TABLE a;"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("postgresql://u:canary-7x@h/db", "read by every user"),
        ("postgresql://u@h/db?password=canary-7x", "read by every user"),
        ("mysql://u:canary-7x@h/db", "expected postgresql://USER@HOST"),
        ("postgresql://u:canary/7x@h/db", "no URL of a PostgreSQL database"),
        ("env:NO_SUCH_URL", "NO_SUCH_URL is not set"),
        ("env:CANARY", "no URL of a PostgreSQL database"),
    ],
)
def test_what_is_no_address_is_said_without_a_secret(text: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "postgres://u:canary/7x@h/db")
    with pytest.raises(UsageError, match=says) as caught:
        address_of(text)
    assert "canary" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_password_is_in_no_error_and_no_repr(tmp_path: Path) -> None:
    with nobody_listening() as port:
        secret = tmp_path / "url"
        secret.write_text(f"postgresql://ada:canary-7x@127.0.0.1:{port}/db\n")
        address = address_of(f"file:{secret}")
        assert address.shown == f"postgresql://ada@127.0.0.1:{port}/db"
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port}/db: it cannot be reached") as caught:
            Lease(address, "test", 1.0).look()
        assert "canary" not in f"{address!r} {caught.value} {caught.value.__cause__}"
