"""An outbox in memory: stands in for the store wherever an `Outbox` is wanted.

Guarantees: the same order and the same answers as a durable one; it outlives a dispatcher, so a test can kill one
and start another on it. `broken`: while set, every call raises it, as a store does whose disk is full.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from keeptime.errors import StoreError
from keeptime.model.alert import Address, DeadLetters, Delivery, Letter, Message, Waiting
from keeptime.model.numbers import MOST_NAMED, Numbers
from keeptime.model.outcome import Delivered, Failed, GaveUp, Outcome

P = ParamSpec("P")
T = TypeVar("T")

Triple = tuple[str, str, str]
Given = tuple[Delivery, str, float, str]
"""A dead letter: the row, its objective, when (Unix seconds) and why."""


@dataclass(slots=True)
class FakeOutbox:
    """`put` messages in, as a store's commit does. `done`: what was delivered, in that order.

    `outcomes`: every mark as (row, Unix seconds, status or error). `dead`, `discarded`: dead letters.
    """

    waiting_rows: list[tuple[Delivery, str]] = field(default_factory=list)
    done: list[Delivery] = field(default_factory=list)
    outcomes: list[tuple[int, float, str]] = field(default_factory=list)
    dead: list[Given] = field(default_factory=list)
    discarded: list[Given] = field(default_factory=list)
    broken: StoreError | None = None
    _last: dict[Triple, int] = field(default_factory=dict)
    _taken: dict[Triple, Delivery] = field(default_factory=dict)
    epoch: str = "2027-01-15T08:00:00.000000Z-0123456789abcdef"
    _rows: int = 0
    _newest: dict[tuple[str, str], Numbers] = field(default_factory=dict)
    _newest_ids: dict[tuple[str, str], str] = field(default_factory=dict)
    _declared: set[int] = field(default_factory=set)

    def put(self, message: Message, at: float) -> None:
        """One row for each of the message's addresses, due at once. `at`: Unix seconds of the decision."""
        for address in message.addresses:
            self._rows += 1
            row = Delivery(
                self._rows,
                message.id,
                message.key.contract,
                address,
                message.topic,
                message.body,
                attempts=0,
                created=at,
                next_try=at,
                numbers=self._number(message, address),
            )
            self.waiting_rows.append((row, message.key.objective))
            self._last[_triple(row, message.key.objective)] = row.row

    def heads(self, now: float) -> Sequence[Delivery]:
        self._check()
        return [row for row in self._heads() if row.next_try <= now]

    def next_due(self) -> float | None:
        self._check()
        return min((row.next_try for row in self._heads()), default=None)

    def mark(self, outcomes: Sequence[Outcome]) -> list[int]:
        self._check()
        return [self._mark(each) for each in outcomes]

    def delivered(self, row: int, at: float, status: str) -> None:
        self.mark([Delivered(row, at, status)])

    def failed(self, row: int, at: float, next_try: float, error: str) -> None:
        self.mark([Failed(row, at, next_try, error)])

    def gave_up(self, row: int, at: float, error: str, *, channel: bool) -> None:
        self.mark([GaveUp(row, at, error, channel)])

    def dead_letters(self) -> Sequence[DeadLetters]:
        self._check()
        pairs: dict[tuple[str, str], list[Given]] = {}
        for each in self.dead:
            pairs.setdefault(_pair(each[0]), []).append(each)
        return [
            DeadLetters(
                those[0][0].contract, those[0][0].address, len(those), max(those, key=lambda each: each[2])[3]
            )
            for those in pairs.values()
        ]

    def letters(self, *, dead: bool, most: int, after: int = 0) -> Sequence[Letter]:
        self._check()
        found = [_letter(row, objective, at, why) for row, objective, at, why in self.dead]
        if not dead:
            found += [_letter(row, objective, None, "") for row, objective in self.waiting_rows]
        return sorted((each for each in found if each.row > after), key=lambda each: each.row)[:most]

    def replay(self, now: float, *, rows: Collection[int] | None, contract: str | None) -> int:
        self._check()
        chosen = self._chosen(rows, contract)
        self.dead = [each for each in self.dead if each not in chosen]
        self._declared -= {row.row for row, *_ in chosen}
        self.waiting_rows += [
            (replace(row, attempts=0, next_try=now), objective) for row, objective, _, _ in chosen
        ]
        self.waiting_rows.sort(key=lambda each: each[0].row)
        return len(chosen)

    def discard(
        self,
        now: float,  # noqa: ARG002 - a Protocol's signature
        author: str,  # noqa: ARG002
        reason: str,  # noqa: ARG002
        *,
        rows: Collection[int] | None,
        contract: str | None,
    ) -> int:
        self._check()
        chosen = self._chosen(rows, contract)
        self.dead = [each for each in self.dead if each not in chosen]
        self.discarded += chosen
        return len(chosen)

    def latest(self, kind: str) -> Sequence[Delivery]:
        self._check()
        return [
            row for triple, row in self._taken.items() if row.address.kind == kind and self._last[triple] == row.row
        ]

    def waiting(self) -> Sequence[Waiting]:
        self._check()
        return [
            Waiting(
                head.contract,
                head.address,
                sum(_pair(row) == _pair(head) for row, _ in self.waiting_rows),
                head.created,
            )
            for head in self._heads()
        ]

    def _chosen(self, rows: Collection[int] | None, contract: str | None) -> list[Given]:
        return [
            each
            for each in self.dead
            if (rows is None or each[0].row in rows) and (contract is None or each[0].contract == contract)
        ]

    def _mark(self, outcome: Outcome) -> int:
        index, (delivery, objective) = self._find(outcome.row)
        match outcome:
            case Delivered(row, at, status):
                del self.waiting_rows[index]
                self.outcomes.append((row, at, status))
                self.done.append(delivery)
                self._taken[_triple(delivery, objective)] = delivery
                return 0
            case Failed(row, at, next_try, error):
                again = replace(delivery, attempts=delivery.attempts + 1, next_try=next_try)
                self.waiting_rows[index] = (again, objective)
                self.outcomes.append((row, at, error))
                return 0
            case GaveUp():
                return self._give_up(outcome, delivery)

    def _give_up(self, outcome: GaveUp, head: Delivery) -> int:
        self.outcomes.append((outcome.row, outcome.at, outcome.error))
        before = len(self.dead)
        for index in reversed(range(len(self.waiting_rows))):
            delivery, objective = self.waiting_rows[index]
            if delivery.row == head.row or (outcome.channel and _pair(delivery) == _pair(head)):
                del self.waiting_rows[index]
                tried = replace(delivery, attempts=delivery.attempts + (delivery.row == head.row))
                self.dead.append((tried, objective, outcome.at, outcome.error))
        self.dead.sort(key=lambda each: each[0].row)
        count = len(self.dead) - before
        for message in outcome.messages:
            self.put(message, outcome.at)
        return count

    def _number(self, message: Message, address: Address) -> Numbers:
        pair = (message.key.contract, address.id)
        gone = sorted((row for row, *_ in (*self.dead, *self.discarded)), key=lambda row: row.row)
        missing = [row for row in gone if _pair(row) == pair and row.row not in self._declared]
        self._declared |= {row.row for row in missing}
        before = self._newest.get(pair)
        numbers = Numbers(
            self.epoch,
            1 if before is None else before.sequence + 1,
            self._newest_ids.get(pair),
            len(missing),
            tuple(row.message_id for row in missing[:MOST_NAMED]),
        )
        self._newest[pair], self._newest_ids[pair] = numbers, message.id
        return numbers

    def _heads(self) -> Iterator[Delivery]:
        seen = set()
        for row, _ in self.waiting_rows:
            if _pair(row) not in seen:
                seen.add(_pair(row))
                yield row

    def _find(self, row: int) -> tuple[int, tuple[Delivery, str]]:
        return next((i, pair) for i, pair in enumerate(self.waiting_rows) if pair[0].row == row)

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken


async def in_place(call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """An `InStore` that calls at once, on the event loop: for stores that do not block."""
    return call(*args, **kwargs)


def _letter(row: Delivery, objective: str, dead: float | None, error: str) -> Letter:
    return Letter(
        *(row.row, row.message_id, row.contract, objective, row.address, row.topic, row.created),
        *(row.attempts, row.next_try, dead, error),
    )


def _pair(row: Delivery) -> tuple[str, str]:
    return row.contract, row.address.id


def _triple(row: Delivery, objective: str) -> Triple:
    return row.contract, objective, row.address.id
