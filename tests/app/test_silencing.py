"""Silences of a running keeptime beside its store: what is told without it, what is repeated, what is refused."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from keeptime.app.quieting import Impossible
from keeptime.app.silencing import Silencing
from keeptime.contract.terms import Contract
from keeptime.model.alert import Address, Delivery, Message, Topic
from keeptime.model.key import ObjectiveKey
from keeptime.store.sqlite import SqliteStore
from keeptime.testing.outbox import in_place
from tests.app.test_keeper import TERMS, Store, contract, keeper

NOW = 180_000_000.0
KEY = ObjectiveKey("kept", "p90")
CHECKOUT, LOG = Address("checkout", "log", ""), Address("operators", "log", "")
MESSAGE = Message("one", KEY, Topic.BROKEN, 1, b'{"objective": {"name": "p90"}}', (CHECKOUT, LOG))


class Clock:
    """Stands still at `at` (Unix seconds)."""

    at = NOW

    def wall_ns(self) -> int:
        return round(self.at * 1e9)

    def monotonic_ns(self) -> int:
        return 0


class Desk:
    """A `Silencing` and what it told."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store = SqliteStore.open(folder / "data", tick_seconds=1.0, now=NOW)
        self.said: list[tuple[str, ...]] = []
        self.contracts: Sequence[Contract] = [contract(TERMS)]
        self.one = Silencing(
            self.store,
            in_place,
            keeper(Store(self.store)),
            self.clock,
            lambda: self.contracts,
            lambda: None,
            self.tell,
        )

    async def tell(self, *said: str) -> None:
        self.said.append(said)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def repeated(to: Address) -> Delivery:
    return Delivery(1, "one", "kept", to, Topic.BROKEN, MESSAGE.body, 0, NOW, NOW)


def test_what_is_told_without_the_store_and_what_is_repeated_are_muted_too(desk: Desk) -> None:
    assert desk.one.audible(MESSAGE) == MESSAGE
    asyncio.run(desk.one.silence("kept", "", "ann", "known", None, NOW + 60))
    assert desk.one.audible(MESSAGE).addresses == (CHECKOUT,)
    assert desk.one.mutes(repeated(LOG))
    assert not desk.one.mutes(repeated(CHECKOUT))
    desk.clock.at += 60.0
    assert desk.one.audible(MESSAGE) == MESSAGE
    assert not desk.one.mutes(repeated(LOG))


@pytest.mark.parametrize(
    ("contract_name", "objective", "ends", "why"),
    [
        ("kpet", "", NOW + 60, "no contract 'kpet' is kept; expected one of kept"),
        ("kept", "p50", NOW + 60, "kept has no objective 'p50'; expected one of p90"),
        ("kept", "p90", NOW, "its end has passed"),
        ("kept", "p90", NOW + 31 * 86_400, "within 30 days"),
    ],
)
def test_what_can_mean_nothing_is_refused(
    desk: Desk, contract_name: str, objective: str, ends: float, why: str
) -> None:
    with pytest.raises(Impossible, match=why):
        asyncio.run(desk.one.silence(contract_name, objective, "ann", "known", None, ends))
    assert desk.store.silences() == ()


def test_one_that_is_over_is_not_ended_again(desk: Desk) -> None:
    made = asyncio.run(desk.one.silence("kept", "", "ann", "known", None, NOW + 60))
    asyncio.run(desk.one.end(made.id, "bob", ""))
    with pytest.raises(Impossible, match="is over already"):
        asyncio.run(desk.one.end(made.id, "bob", ""))
    with pytest.raises(Impossible, match="there is no silence 9"):
        asyncio.run(desk.one.end(9, "bob", ""))
    assert desk.said == [], "nothing was muted, so nothing is said"
