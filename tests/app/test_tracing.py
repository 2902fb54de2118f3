"""Whole traces: those that were sent here, and those that are looked up because an exemplar names them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from keeptime.app.tracing import FoundTraces, Traces
from keeptime.contract.traced import TraceStore, Tracing
from keeptime.errors import SourceError
from keeptime.model.exemplar import Exemplar
from keeptime.model.trace import Trace, TraceSpan, Why
from keeptime.testing.explaining import FakeExplaining
from keeptime.testing.showable import contract
from keeptime.testing.taking import FakeIntake

AT = 1_800_000_000
SECOND = 1_000_000_000
WHERE = Tracing(TraceStore.JAEGER, "http://127.0.0.1:1")


@dataclass
class Looker:
    """Knows one span of every trace; or nothing, or is not there."""

    asked: list[str] = field(default_factory=list)
    problem: str = ""
    knows: bool = True

    async def look(self, where: Tracing, trace: str) -> Sequence[TraceSpan]:
        self.asked.append(trace)
        if self.problem:
            raise SourceError(self.problem)
        return [TraceSpan("a" * 16, "", "serve", "model", "server", AT * SECOND, SECOND)] if self.knows else []

    async def close(self) -> None:
        self.asked.append("closed")


def exemplar(trace: str, why: Why = Why.SLOW, at: int = AT) -> Exemplar:
    return Exemplar("sentiment-latency", at * SECOND, 2 * SECOND, why, trace=trace)


def found(looker: Looker, *kept: Exemplar, sent: Sequence[Trace] = (), tracing: Tracing | None = WHERE) -> Traces:
    terms = [replace(contract(), tracing=tracing)]
    of = FoundTraces(
        FakeIntake(kept={"sentiment-latency": list(sent)}), FakeExplaining(list(kept)), looker, lambda: terms
    )

    async def twice() -> Traces:
        await of.traces("sentiment-latency", AT - 10, AT + 10)
        return await of.traces("sentiment-latency", AT - 10, AT + 10)

    return asyncio.run(twice())


def test_traces_of_exemplars_are_looked_up_once_and_those_that_were_sent_not_at_all() -> None:
    looker = Looker()
    sent = [Trace("sentiment-latency", "c" * 32, AT * SECOND, SECOND, Why.FAILED)]
    kept = [exemplar("a" * 32), exemplar("b" * 32, Why.USUAL, AT - 600), exemplar("c" * 32), exemplar("")]
    traces = found(looker, *kept, sent=sent)
    assert sorted(looker.asked) == ["a" * 32, "b" * 32]
    assert {each.trace for each in traces.found} == {"a" * 32, "b" * 32, "c" * 32}
    assert {each.trace for each in traces.slow} == {"a" * 32, "c" * 32}
    looked = next(each for each in traces.found if each.trace == "a" * 32)
    assert (looked.took_ns, looked.at_ns) == (SECOND, (AT + 1) * SECOND)


def test_what_is_here_already_is_known_without_asking() -> None:
    looker = Looker()
    sent = [Trace("sentiment-latency", "c" * 32, AT * SECOND, SECOND, Why.FAILED)]
    intake = FakeIntake(kept={"sentiment-latency": sent})
    kept = FakeExplaining([exemplar("a" * 32), exemplar("c" * 32)])
    of = FoundTraces(intake, kept, looker, lambda: [replace(contract(), tracing=WHERE)])
    time = ("sentiment-latency", AT - 10, AT + 10)
    assert [each.trace for each in of.known(*time).found] == ["c" * 32]
    asyncio.run(of.traces(*time))
    assert [each.trace for each in of.known(*time).found] == ["a" * 32, "c" * 32]
    assert of.known("another", AT - 10, AT + 10) == of.known("sentiment-latency", AT + 90, AT + 95) == Traces()
    assert looker.asked == ["a" * 32]


def test_a_request_that_two_observers_saw_is_looked_up_once_and_is_slow() -> None:
    looker = Looker()
    usual = replace(exemplar("a" * 32, Why.USUAL), observer="push")
    of = FoundTraces(
        FakeIntake(),
        FakeExplaining([usual, exemplar("a" * 32)]),
        looker,
        lambda: [replace(contract(), tracing=WHERE)],
    )
    traces = asyncio.run(of.traces("sentiment-latency", AT - 10, AT + 10))
    assert looker.asked == ["a" * 32]
    assert [each.why for each in traces.found] == [Why.SLOW]


def test_what_cannot_be_looked_up_is_said_and_the_others_come() -> None:
    sent = [Trace("sentiment-latency", "c" * 32, AT * SECOND, SECOND, Why.SLOW)]
    traces = found(Looker(problem="Jaeger answered 503; expected 200"), exemplar("a" * 32), sent=sent)
    assert ([each.trace for each in traces.found], traces.problem) == (
        ["c" * 32],
        "Jaeger answered 503; expected 200",
    )
    assert found(Looker(knows=False), exemplar("a" * 32)) == Traces()


def test_nothing_is_looked_up_where_the_contract_does_not_say_so() -> None:
    looker = Looker()
    assert found(looker, exemplar("a" * 32), tracing=None) == Traces()
    assert looker.asked == []


def test_only_the_time_that_is_asked_for_counts_and_an_hour_before_for_usual_ones() -> None:
    sent = [
        Trace("sentiment-latency", "1" * 32, (AT - 3000) * SECOND, SECOND, Why.USUAL),
        Trace("sentiment-latency", "2" * 32, (AT - 3000) * SECOND, SECOND, Why.SLOW),
        Trace("sentiment-latency", "3" * 32, (AT + 30) * SECOND, SECOND, Why.SLOW),
    ]
    assert [each.trace for each in found(Looker(), sent=sent).found] == ["1" * 32]


def test_it_ends_with_the_daemon() -> None:
    looker = Looker()

    async def run() -> None:
        task = asyncio.create_task(FoundTraces(FakeIntake(), FakeExplaining(), looker, list).run())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert looker.asked == ["closed"]
