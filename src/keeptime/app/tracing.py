"""Whole traces of slow requests and of usual ones: those that were sent here, and those of a Jaeger or a Tempo.

Guarantees: what is looked up are ids of requests that were kept as evidence, at the URL of their contract, so many
at most and each once; what cannot be looked up is said, and holds nothing else up.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from keeptime.app.explaining import Explaining
from keeptime.app.keeper import Kept
from keeptime.app.taking import Intake
from keeptime.contract.terms import Contract
from keeptime.contract.traced import Tracing
from keeptime.errors import SourceError
from keeptime.explain.traces.critical import longest_first
from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.trace import Trace, TraceSpan, Why

SLOW, USUAL = 30, 20
"""Traces of one answer at most, of either kind."""
BEFORE = 3600.0
"""Seconds before a time within which usual requests are compared with the slow ones of it."""
AT_ONCE = 4
KEPT = 500
"""Traces that were looked up and are kept in memory."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Newest first. `problem`: why others could not be looked up, else ""."""

    found: tuple[Trace, ...] = ()
    problem: str = ""

    @property
    def slow(self) -> tuple[Trace, ...]:
        return tuple(each for each in self.found if each.why is not Why.USUAL)


class Looker(Protocol):
    """Looks one trace up where a contract says."""

    async def look(self, where: Tracing, trace: str) -> Sequence[TraceSpan]:
        """Its spans; none where it is not known there. Raises SourceError."""
        ...

    async def close(self) -> None: ...


class Traced(Protocol):
    """`keeptime.testing` ships a fake."""

    async def traces(self, contract: str, start: float, end: float) -> Traces:
        """Of requests of this contract that ended in this time (Unix seconds); usual ones also from before."""
        ...

    def known(self, contract: str, start: float, end: float) -> Traces:
        """Those of them that are here already: nobody is asked."""
        ...


class FoundTraces:
    """The running daemon's `Traced`, and a companion of it, so that it ends in order."""

    name = "traces"

    def __init__(
        self, intake: Intake, explaining: Explaining, looker: Looker, contracts: Callable[[], Sequence[Contract]]
    ) -> None:
        self._intake, self._explaining, self._looker, self._contracts = intake, explaining, looker, contracts
        self._known: OrderedDict[tuple[str, str], Trace] = OrderedDict()
        self._few = asyncio.Semaphore(AT_ONCE)

    async def run(self) -> None:
        """Nothing is done unless somebody asks."""
        try:
            await asyncio.Event().wait()
        finally:
            await self._looker.close()

    async def see(self, kept: Kept, now: float) -> None:
        """Judging changes nothing here."""

    async def traces(self, contract: str, start: float, end: float) -> Traces:
        sent = self._sent(contract, start, end)
        looked, problem = await self._looked_up(contract, start, end, {each.trace for each in sent})
        return _newest([*sent, *looked], problem)

    def known(self, contract: str, start: float, end: float) -> Traces:
        sent = self._sent(contract, start, end)
        names = {each.trace for each in sent}
        looked = [each for each in self._known.values() if each.contract == contract and each.trace not in names]
        return _newest([*sent, *(each for each in looked if _fits(each, start, end))])

    def _sent(self, contract: str, start: float, end: float) -> list[Trace]:
        return [each for each in self._intake.traces_of(contract) if _fits(each, start, end)]

    async def _looked_up(
        self, contract: str, start: float, end: float, sent: set[str]
    ) -> tuple[Sequence[Trace], str]:
        terms = next((each for each in self._contracts() if each.name == contract), None)
        if terms is None or terms.tracing is None:
            return (), ""
        wanted = await self._wanted(contract, start, end)
        missing = {each.trace: each for each in reversed(wanted) if each.trace and each.trace not in sent}.values()
        found = await asyncio.gather(*(self._look(terms.tracing, each) for each in missing))
        problem = next((each for each in found if isinstance(each, str)), "")
        return [each for each in found if isinstance(each, Trace)], problem

    async def _wanted(self, contract: str, start: float, end: float) -> list[Exemplar]:
        slow = [
            each
            for why in (Why.SLOW, Why.FAILED)
            for each in await self._explaining.exemplars(ExemplarQuery(contract, start, end, why, SLOW))
        ]
        usual = await self._explaining.exemplars(ExemplarQuery(contract, start - BEFORE, end, Why.USUAL, USUAL))
        return [*sorted(slow, key=lambda each: -each.at_ns)[:SLOW], *usual]

    async def _look(self, where: Tracing, one: Exemplar) -> Trace | str | None:
        """The trace of this request; a sentence where it cannot be looked up, None where nobody knows it."""
        key = (one.contract, one.trace)
        if key in self._known:
            return self._known[key]
        try:
            async with self._few:
                spans = await self._looker.look(where, one.trace)
        except SourceError as error:
            return str(error)
        if not spans:
            return None
        self._known[key] = trace = _trace(one, spans)
        if len(self._known) > KEPT:
            self._known.popitem(last=False)
        return trace


def _trace(one: Exemplar, spans: Sequence[TraceSpan]) -> Trace:
    """As long as its first span says: the observer's own clock starts earlier."""
    first = longest_first(spans) or spans[0]
    ended = first.start_ns + first.took_ns
    return Trace(one.contract, one.trace, ended, first.took_ns, one.why, tuple(spans))


def _newest(found: Sequence[Trace], problem: str = "") -> Traces:
    """So many of either kind, newest first."""
    ordered = sorted(found, key=lambda each: -each.at_ns)
    usual = [each for each in ordered if each.why is Why.USUAL][:USUAL]
    slow = [each for each in ordered if each.why is not Why.USUAL][:SLOW]
    return Traces(tuple(sorted([*slow, *usual], key=lambda each: -each.at_ns)), problem)


def _fits(one: Trace, start: float, end: float) -> bool:
    since = start - BEFORE if one.why is Why.USUAL else start
    return since <= one.at_ns / 1e9 < end
