"""A store that is looked at while it is written, on both databases: of one instant, and nothing is in the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keeptime.errors import StoreError
from keeptime.model.change import Change
from keeptime.model.ledger import Fault
from keeptime.model.version import ContractVersion
from keeptime.store.audit import Audit
from keeptime.store.chain import verified
from keeptime.store.ledger import Ledger
from keeptime.store.looking import looking_at
from keeptime.store.postgresql.address import address_of
from keeptime.store.postgresql.looking import looking_into
from keeptime.store.sql import Database
from tests.store.given import FAST, HOOK, LOG, NOW, POSTGRESQL, message, opened


@contextmanager
def looking(directory: Path) -> Iterator[Database]:
    if POSTGRESQL:
        with looking_into(address_of(POSTGRESQL[0](directory))) as db:
            yield db
    else:
        with looking_at(directory) as db:
            yield db


def wrong(directory: Path) -> tuple[Fault, ...]:
    with looking(directory) as db:
        audit = Audit(db)
        found = verified(audit.seeing(Ledger(db).all()))
        assert found.fault is None
        return audit.differences()


def test_a_store_that_is_written_is_verified_and_what_differs_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        version = ContractVersion("digits", "v1", "digits.yaml", "{}")
        store.commit(Change(NOW, versions=(version,), messages=(message("one", FAST, HOOK, LOG),)))
        store.delivered(store.heads(NOW)[0].row, NOW + 1, "204")
        assert wrong(tmp_path) == ()
        with store.db.transaction():
            store.db.execute("UPDATE message SET body = ? WHERE message_id = 'one'", (b"{}",))
        (found,) = wrong(tmp_path)
        assert (found.seq, "another body" in found.why) == (3, True)


def test_what_is_read_is_of_one_instant(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.commit(Change(NOW, messages=(message("one"),)))
        with looking(tmp_path) as db:
            audit = Audit(db)
            rows = verified(audit.seeing(Ledger(db).all())).rows
            store.commit(Change(NOW, messages=(message("two"),)))
            assert audit.differences() == ()
            assert Ledger(db).head().seq == rows
        assert store.ledger_head().seq == rows + 1


def test_where_there_is_none_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"), looking(tmp_path):
        pass
