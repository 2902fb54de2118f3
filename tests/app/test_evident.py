"""Evidence on its way to the store: asked for at once, held while the store fails; versions mark themselves."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from keeptime.app.evident import AGAIN, MOST_POSTED, Evident
from keeptime.errors import StoreUnavailable
from keeptime.model.event import Event
from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.sample import Connection, Phases, Sample
from keeptime.model.trace import Why
from keeptime.observe.keeping import Keeping
from keeptime.testing.showable import contract
from keeptime.testing.virtual import VirtualClock, VirtualLoop

NAME = "sentiment-latency"
AT = 1_800_000_000


@dataclass
class Store:
    kept: list[Exemplar] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    fails: bool = False

    def keep_exemplars(self, new: Sequence[Exemplar], prune: bool = False) -> None:
        if self.fails:
            raise StoreUnavailable(f"the disk is full {prune}")
        self.kept += new

    def exemplars(self, asked: ExemplarQuery) -> Sequence[Exemplar]:
        return [each for each in reversed(self.kept) if each.contract == asked.contract][: asked.most]

    def note_event(self, new: Event) -> tuple[Event, bool]:
        self.events.append(new)
        return new, True


async def in_place(call: Callable[..., Any], *given: Any) -> Any:
    return call(*given)


def evident(store: Store) -> tuple[Evident, Keeping]:
    of = contract()
    keeping = Keeping([of], random.Random(1))
    return Evident(keeping, store, in_place, VirtualClock(VirtualLoop(), AT), lambda: [of]), keeping  # type: ignore[arg-type]


def sample(at: float, version: str = "") -> Sample:
    ended = round(at * 1e9)
    attributes = {"model_version": version} if version else {}
    phases = Phases(wait=2_000_000_000)
    return Sample(
        NAME, ended, ended - 2_000_000_000, ended, phases, None, 200, 1, Connection.FRESH, True, 0,
        attributes=attributes,
    )  # fmt: skip


def test_what_is_open_can_be_asked_for_and_then_is_in_the_store() -> None:
    store = Store()
    of, keeping = evident(store)
    keeping.add(sample(AT))
    posted = Exemplar(NAME, AT * 10**9 - 5, 10**9, Why.SLOW, observer="exemplars")
    assert of.take([posted]) == 1
    assert len(asyncio.run(of.exemplars(ExemplarQuery(NAME)))) == 2
    assert store.kept == []
    asyncio.run(of.flush())
    assert len(store.kept) == 2
    assert len(asyncio.run(of.exemplars(ExemplarQuery(NAME)))) == 2, "each once"


def test_while_the_store_fails_it_waits_in_memory_and_a_failure_costs_evidence_alone() -> None:
    store = Store()
    of, keeping = evident(store)
    keeping.add(sample(AT))
    of.held = True
    asyncio.run(of.flush())
    assert store.kept == []
    assert len(asyncio.run(of.exemplars(ExemplarQuery(NAME)))) == 1
    of.held, store.fails = False, True
    asyncio.run(of.flush())
    assert store.kept == []
    one = Exemplar(NAME, 1, 1, Why.SLOW)
    assert of.take([one] * (MOST_POSTED + 10)) == MOST_POSTED, "there is an end to what waits"


def test_a_version_that_is_new_or_comes_back_marks_itself() -> None:
    store = Store()
    of, keeping = evident(store)
    for at, version in (
        (AT, "v1"),
        (AT + 10, "v1"),
        (AT + 20, "v2"),
        (AT + 30, "v1"),
        (AT + 40, "v2"),
        (AT + 50 + AGAIN, "v1"),
    ):
        keeping.add(sample(at, version))
        asyncio.run(of.flush())
    assert [(each.at, each.version, each.contracts) for each in store.events] == [
        (AT + 20, "v2", (NAME,)),
        (AT + 50 + AGAIN, "v1", (NAME,)),
    ]
    later, _ = evident(store)
    later.take([replace(store.kept[-1], at_ns=store.kept[-1].at_ns + 1)])
    asyncio.run(later.flush())
    assert len(store.events) == 2, "an earlier life has seen it"
