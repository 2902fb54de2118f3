"""Requests that programs post: read, counted, answered. A follower for every contract with `observe: - push:`.

Guarantees: of a body that can be read, what is wrong is refused by index and with its reason, and the rest is
counted; a body that comes again under the same key is counted once. Bodies are read one at a time.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from keeptime.clock import Clock
from keeptime.contract.terms import Contract
from keeptime.contract.traffic.push import Push
from keeptime.model.latency import Latency
from keeptime.model.traffic import TrafficView
from keeptime.observe.intake.bodies import Totals, read
from keeptime.observe.intake.book import Book
from keeptime.observe.intake.counting import Counting
from keeptime.observe.intake.line import Line
from keeptime.observe.intake.posted import sample_of
from keeptime.observe.intake.refusing import NotAsked, Refused, Taken, Unknown, Wrong
from keeptime.observe.intake.repeats import Repeats
from keeptime.observe.intake.thresholds import thresholds_of
from keeptime.observe.intake.totals import Counted, Growing
from keeptime.observe.intake.when import When


@dataclass(frozen=True, slots=True)
class Posted:
    """A body for a contract. `lines`: NDJSON. `key`: "" where it has none. `token`: the name of the one shown."""

    contract: str
    body: bytes
    lines: bool = False
    key: str = ""
    token: str = ""


class Pushes:
    """`line` is shared with whoever else reads what is sent."""

    def __init__(
        self, contracts: Sequence[Contract], counting: Counting, line: Line, clock: Clock, tick_seconds: float
    ) -> None:
        self._counting, self._line, self._clock, self._tick_seconds = counting, line, clock, tick_seconds
        self._book = Book("push", contracts)
        self._growing = Growing()
        self._repeats = Repeats()
        self._replace(contracts)

    def start(self) -> None:
        """Nothing is to be begun: others come to us."""

    async def stop(self) -> None:
        """What has come is counted."""
        await self._line.close()

    def prepare(self, contracts: Sequence[Contract]) -> Callable[[], Awaitable[None]]:
        async def go() -> None:
            self._replace(contracts)

        return go

    def views(self, contract: str) -> Sequence[TrafficView]:
        return self._book.views(contract)

    async def latency(self, contract: str, at: float) -> Latency | None:  # noqa: ARG002 - the store knows
        return None

    async def push(self, posted: Posted) -> Taken:
        """Count what can be counted of it. Raises IntakeRefused."""
        return await self._line(self._take, posted)

    def _replace(self, contracts: Sequence[Contract]) -> None:
        self._book.replace(contracts)
        self._growing.keep(frozenset(each.name for each in contracts), self._clock.wall_ns())
        self._contracts = {each.name: each for each in contracts}

    def _take(self, posted: Posted) -> Taken:
        contract, entry = self._asked(posted)
        now_ns = self._clock.wall_ns()
        if posted.key and (known := self._repeats.answer(contract.name, posted.key, posted.body, now_ns)):
            self._book.page(contract.name, entry).note(now_ns, 0, repeated=known.taken)
            return known
        taken = self._counted(contract, entry, posted, now_ns)
        if posted.key:
            self._repeats.note(contract.name, posted.key, posted.body, taken, now_ns)
        return taken

    def _asked(self, posted: Posted) -> tuple[Contract, Push]:
        contract = self._contracts.get(posted.contract)
        if contract is None:
            raise Unknown(f"there is no contract {posted.contract!r} here")
        entries = [each for each in contract.traffic if isinstance(each, Push)]
        if not entries:
            raise NotAsked(f"{contract.name} takes nothing that is posted; its 'observe' has no entry 'push'")
        for each in entries:
            if each.token in ("", posted.token):
                return contract, each
        raise NotAsked(f"{contract.name} takes this with the token {entries[0].token!r} alone")

    def _counted(self, contract: Contract, entry: Push, posted: Posted, now_ns: int) -> Taken:
        found, when = read(posted.body, posted.lines), When.at(now_ns, self._tick_seconds)
        refused = Refused()
        if isinstance(found, Totals):
            done = self._growing.take(contract.name, found.said, when, refused, self._counting.put_batch)
        else:
            done = self._samples(contract.name, found, when, refused)
        self._book.page(contract.name, entry).note(
            now_ns,
            done.requests,
            ok=done.taken - done.repeated,
            late=done.late,
            repeated=done.repeated,
            refused=refused.count - refused.skewed,
            skewed=refused.skewed,
        )
        return Taken(done.taken, done.late, refused.count, tuple(refused.first), thresholds_of(contract))

    def _samples(self, contract: str, found: Sequence[object], when: When, refused: Refused) -> Counted:
        done = Counted()
        for index, each in enumerate(found):
            try:
                if isinstance(each, Wrong):
                    raise each
                sample = sample_of(contract, each, when)
            except Wrong as error:
                refused.note(index, error)
                continue
            self._counting.add(sample)
            done.taken += 1
            done.late += when.late(sample.done_ns)
        done.requests = done.taken
        return done
