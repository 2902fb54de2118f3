"""Events of a running keeptime beside its store: once under a key, and what can mean nothing is refused."""

import asyncio
from pathlib import Path

import pytest

from keeptime.app.happened import StoreHappened, Unknown
from keeptime.app.quieting import Impossible
from keeptime.model.event import LONGEST_AGO, Event, EventKind, EventQuery
from keeptime.store.sqlite import SqliteStore
from keeptime.testing.outbox import in_place
from tests.app.test_keeper import TERMS, contract
from tests.app.test_silencing import NOW, Clock

DEPLOY = Event(0, EventKind.DEPLOY, 0.0, ("kept",), "ci", "v2", key="job-4")


class Desk:
    """A `StoreHappened` of a store, and its clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        store = SqliteStore.open(folder / "data", tick_seconds=1.0, now=NOW)
        self.one = StoreHappened(store, in_place, self.clock, lambda: [contract(TERMS)])

    def mark(self, told: Event, at: float | None = None) -> tuple[Event, bool]:
        return asyncio.run(self.one.mark(told, at))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_what_is_retried_is_marked_once_and_another_under_its_key_is_refused(desk: Desk) -> None:
    made, new = desk.mark(DEPLOY)
    assert (made.at, made.noted, new) == (NOW, NOW, True)
    desk.clock.at += 30.0
    assert desk.mark(DEPLOY) == (made, False)
    assert desk.mark(DEPLOY, NOW) == (made, False)
    for other, at in ((Event(0, EventKind.DEPLOY, 0.0, (), "ci", "v2", key="job-4"), None), (DEPLOY, NOW - 1)):
        with pytest.raises(Impossible, match="came with another event"):
            desk.mark(other, at)
    assert asyncio.run(desk.one.events(EventQuery())) == (made,)
    with pytest.raises(Unknown, match="after=7"):
        asyncio.run(desk.one.events(EventQuery(after=7)))


@pytest.mark.parametrize(
    ("told", "at", "why"),
    [
        (DEPLOY, NOW + 61, "lies in the future"),
        (DEPLOY, NOW - LONGEST_AGO - 1, "too old"),
        (
            Event(0, EventKind.OTHER, 0.0, ("kept", "lost"), "ann"),
            None,
            "no contract 'lost' is kept; expected one of",
        ),
    ],
)
def test_what_can_mean_nothing_is_refused(desk: Desk, told: Event, at: float | None, why: str) -> None:
    with pytest.raises(Impossible, match=why):
        desk.mark(told, at)
    assert asyncio.run(desk.one.events(EventQuery())) == ()
    assert desk.mark(DEPLOY, NOW + 59)[1]
