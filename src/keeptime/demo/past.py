"""A past that was not lived: made-up requests through keeptime's own counter, keeper and store, in virtual time.

Guarantees: verdicts, alerts, messages, periods and the ledger are what they would have been, for the same parts
made them in the same order; the same seed and end give the same counts. The store is there whole or not at all.
Nothing is sent: of what waits it is noted that the log took it. Reads no clock.
"""

import json
import shutil
import tempfile
from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keeptime.app.reading import read_contracts
from keeptime.app.recorded import PastKeeper
from keeptime.contract.terms import Contract
from keeptime.demo.mishaps import Mishap, What, mishaps
from keeptime.demo.promises import EACH, promised
from keeptime.demo.traffic import SECOND, Served
from keeptime.errors import UsageError
from keeptime.model.alert import Message
from keeptime.model.batch import Batch
from keeptime.model.outcome import Delivered
from keeptime.model.sample import Sample
from keeptime.model.tally import TickRecord
from keeptime.observe.count import GRACE_SECONDS, Counter
from keeptime.store.sqlite import SqliteStore

CONTRACTS = "contracts"
"""The folder of contracts beside the store."""

BLOCK = 1440
"""Ticks that are drawn at once."""

MOST_OBJECTIVES = 1000
USUAL_COST = 0.00025
"""Seconds for each contract and tick, about, on one core."""

TAKEN_AFTER = 0.4
"""Seconds after which the log had taken a message."""


@dataclass(frozen=True, slots=True)
class Order:
    """What past is wanted. `end`: Unix seconds; the past ends with the last whole tick before."""

    data: Path
    seconds: float
    end: float
    seed: int = 1
    objectives: int = 6
    tick_seconds: float = 60.0

    @property
    def until(self) -> int:
        """The tick after the last one."""
        return int(self.end // self.tick_seconds)

    @property
    def ticks(self) -> int:
        return self.until - self.first

    @property
    def contracts(self) -> int:
        return -(-self.objectives // EACH)

    @property
    def cost(self) -> float:
        """Seconds that it takes, about."""
        return self.ticks * self.contracts * USUAL_COST

    @property
    def first(self) -> int:
        return self.until - max(1, round(self.seconds / self.tick_seconds))


@dataclass(frozen=True, slots=True)
class Made:
    """What there is now. `conditions`: how the objectives stand at the end; `ledger`: rows of it."""

    data: Path
    first: int
    until: int
    contracts: tuple[str, ...]
    mishaps: tuple[Mishap, ...]
    events: int
    topics: dict[str, int]
    conditions: dict[str, str]
    ledger: int


@dataclass(slots=True)
class _Tally:
    events: int = 0
    topics: Counts[str] = field(default_factory=Counts)
    conditions: dict[str, str] = field(default_factory=dict)


Progress = Callable[[float], None]
"""Told the share that is done."""


def make_past(order: Order, progress: Progress) -> Made:
    """The store and its contracts in `order.data`. Raises UsageError where something is there, and StoreError."""
    data = order.data
    if data.exists() and (not data.is_dir() or any(data.iterdir())):
        raise UsageError(f"{data}: there is something already; give an empty or new directory with --data")
    data.absolute().parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(dir=data.absolute().parent, prefix=f".{data.name}."))
    try:
        made = _make(order, building, progress)
        building.replace(data)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return made


def _make(order: Order, folder: Path, progress: Progress) -> Made:
    written = promised(order.objectives)
    (folder / CONTRACTS).mkdir()
    for each in written:
        (folder / CONTRACTS / f"{each.name}.yaml").write_text(each.text, encoding="utf-8")
    contracts = read_contracts([str(folder / CONTRACTS)], order.tick_seconds)
    start, end = order.first * order.tick_seconds, order.until * order.tick_seconds
    wrong = mishaps([each.name for each in written], start, end, order.seed)
    by_name = {each.name: each for each in contracts}
    services = [
        Served(
            each.name,
            each.kind,
            _thresholds(by_name[each.name]),
            tuple(one for one in wrong if one.contract in ("", each.name)),
        )
        for each in written
    ]
    found = _Tally()
    with SqliteStore.open(folder, tick_seconds=order.tick_seconds, now=start) as store:
        store.hurry()
        _live(order, store, contracts, services, wrong, found, progress)
        head = store.ledger_head()
    names = tuple(each.name for each in written)
    return Made(
        order.data,
        order.first,
        order.until,
        names,
        wrong,
        found.events,
        dict(found.topics),
        found.conditions,
        head.seq,
    )


def _thresholds(contract: Contract) -> tuple[float, ...]:
    return tuple(sorted({each.under for each in contract.objectives if each.under is not None}))


def _live(
    order: Order,
    store: SqliteStore,
    contracts: Sequence[Contract],
    services: Sequence[Served],
    wrong: Sequence[Mishap],
    found: _Tally,
    progress: Progress,
) -> None:
    """One life after another, each from a start of keeptime to its end."""
    for nth, (first, until) in enumerate(lives(order, wrong)):
        if nth:
            store.begin(first * order.tick_seconds)
        life = _Life(order, store, contracts, first, found)
        for start in range(first, until, BLOCK):
            count = min(BLOCK, until - start)
            drawn = [
                each.ticks(start, count, order.tick_seconds, (order.seed, nth, start - order.first, which))
                for which, each in enumerate(services)
            ]
            life.block(start, zip(*drawn, strict=True))
            progress((start + count - order.first) / (order.until - order.first))


def lives(order: Order, wrong: Sequence[Mishap]) -> Iterator[tuple[int, int]]:
    """(first tick, the tick after the last) of each time in which keeptime ran."""
    first = order.first
    for each in wrong:
        if each.what is What.DOWN:
            yield first, int(each.start // order.tick_seconds)
            first = int(each.end // order.tick_seconds)
    yield first, order.until


class _Life:
    """keeptime from one start on. Mutable."""

    def __init__(
        self, order: Order, store: SqliteStore, contracts: Sequence[Contract], first: int, found: _Tally
    ) -> None:
        self._store, self._seconds, self._found = store, order.tick_seconds, found
        self._counter = Counter(contracts, order.tick_seconds, start_ns=round(first * order.tick_seconds * SECOND))
        self._keeper = PastKeeper(store, contracts, order.tick_seconds, first)

    def block(self, first: int, ticks: Iterable[Sequence[Sequence[Batch | Sample]]]) -> None:
        """All that came in these ticks is counted, judged and kept, each a moment after its end."""
        records = [record for tick, came in enumerate(ticks, first) for record in self._count(tick, came)]
        self._found.events += sum(tally.slots for record in records for tally in record.tallies.values())
        for kept in self._keeper.keep_past(records, GRACE_SECONDS):
            if kept.messages:
                self._deliver(kept.messages)
            self._found.conditions |= {str(key): each.condition.value for key, each in kept.verdicts.items()}

    def _count(self, tick: int, came: Sequence[Sequence[Batch | Sample]]) -> Sequence[TickRecord]:
        for each in (one for some in came for one in some):
            if isinstance(each, Batch):
                self._counter.put_batch(each)
            else:
                self._counter.add(each)
        return self._counter.close(round(((tick + 1) * self._seconds + GRACE_SECONDS) * SECOND))

    def _deliver(self, messages: Sequence[Message]) -> None:
        self._found.topics.update(each.topic.value for each in messages)
        taken = (messages[0].tick + 1) * self._seconds + GRACE_SECONDS + TAKEN_AFTER
        while heads := self._store.heads(taken):
            self._store.mark([Delivered(each.row, taken, "written") for each in heads])


def made_json(made: Made, command: str) -> str:
    """What was made, as one JSON object."""
    wrong = [{"what": each.what, "contract": each.contract or None, "start": each.start, "end": each.end}
             for each in made.mishaps]  # fmt: skip
    return json.dumps(
        {
            "data": str(made.data),
            "command": command,
            "contracts": list(made.contracts),
            "ticks": made.until - made.first,
            "events": made.events,
            "mishaps": wrong,
            "messages": made.topics,
            "conditions": made.conditions,
            "ledger": made.ledger,
        }
    )
