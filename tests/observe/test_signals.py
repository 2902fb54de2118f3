"""Signals of answers that come in pieces, and requests that others have counted: what each is an event of."""

from dataclasses import replace

import pytest

from keeptime.contract.scope import Exclude, Wanted
from keeptime.contract.terms import Contract, Objective
from keeptime.model.batch import Batch, Span
from keeptime.model.exclusion import BETWEEN_BOUNDS, FAILED, Exclusion, ExclusionKind
from keeptime.model.key import ObjectiveKey, Signal, SignalKey
from keeptime.model.sample import Failure, Sample, Stream
from keeptime.model.tally import Tally, TickRecord
from keeptime.observe.count import Counter
from tests.observe.given import contract, objective, sample

MS, S = 1_000_000, 1_000_000_000
DUE = 1_000 * S
STREAM = Stream(80 * MS, 200 * MS, ((20 * MS, 1), (100 * MS, 4)), 6)


def about(of: Signal, under: float | None, **more: object) -> Objective:
    return replace(objective("x", under), of=of, **more)  # type: ignore[arg-type]


def tallied(one: Objective, *outcomes: Sample | Batch, of: Contract | None = None) -> Tally:
    return record(one, *outcomes, of=of).tallies.get(ObjectiveKey("c", "x"), Tally())


def record(one: Objective, *outcomes: Sample | Batch, of: Contract | None = None) -> TickRecord:
    given = replace(of or contract("http://127.0.0.1/"), objectives=(one,))
    counting = Counter([given], 86_400.0, start_ns=DUE)
    for each in outcomes:
        counting.put_batch(each) if isinstance(each, Batch) else counting.add(each)
    (found,) = counting.finish(DUE)
    return found


def streamed(stream: Stream | None = STREAM, failure: Failure | None = None) -> Sample:
    return replace(sample(DUE, 250 * MS, failure), stream=stream)


@pytest.mark.parametrize(
    ("of", "under", "tally"),
    [
        (Signal.REQUESTS, 0.25, Tally(1)),
        (Signal.FIRST_TOKEN, 0.08, Tally(1)),
        (Signal.FIRST_TOKEN, 0.079, Tally(0, 1)),
        (Signal.OUTPUT_TOKEN, 0.024, Tally(1)),
        (Signal.OUTPUT_TOKEN, 0.0239, Tally(0, 1)),
        (Signal.INTER_TOKEN, 0.025, Tally(5)),
        (Signal.INTER_TOKEN, 0.024, Tally(1, 4)),
        (Signal.INTER_TOKEN, 0.019, Tally(0, 5)),
    ],
)
def test_each_signal_has_its_own_events(of: Signal, under: float, tally: Tally) -> None:
    assert tallied(about(of, under), streamed()) == tally


@pytest.mark.parametrize("of", [Signal.FIRST_TOKEN, Signal.OUTPUT_TOKEN, Signal.INTER_TOKEN])
def test_an_answer_without_tokens_is_no_event_and_a_failed_one_is_bad(of: Signal) -> None:
    one = about(of, 0.5)
    assert tallied(one, streamed(None), streamed(Stream(None))) == Tally()
    assert tallied(one, streamed(None, Failure.TIMEOUT)) == Tally(0, 1)
    assert tallied(replace(one, errors="excluded"), streamed(None, Failure.TIMEOUT)) == Tally(excluded=1)


def test_one_token_has_no_time_per_output_token() -> None:
    assert tallied(about(Signal.OUTPUT_TOKEN, 0.5), streamed(Stream(MS, MS, (), 1))) == Tally()


def test_a_stream_that_broke_keeps_the_gaps_it_had_and_is_one_bad_event_more() -> None:
    assert tallied(about(Signal.INTER_TOKEN, 0.025), streamed(failure=Failure.PROTOCOL)) == Tally(5, 1)


def test_a_late_probe_counts_its_first_token_from_the_due_instant() -> None:
    late = replace(streamed(), due_ns=DUE - 50 * MS)
    assert tallied(about(Signal.FIRST_TOKEN, 0.08), late) == Tally(0, 1)
    assert tallied(about(Signal.FIRST_TOKEN, 0.13), late) == Tally(1)


def test_each_signal_is_described_apart() -> None:
    sketches = record(about(Signal.REQUESTS, 0.5), streamed()).sketches
    counts = {key.signal: each.count for key, each in sketches.items()}
    assert counts == {
        Signal.REQUESTS: 1, Signal.FIRST_TOKEN: 1, Signal.OUTPUT_TOKEN: 1, Signal.INTER_TOKEN: 5
    }  # fmt: skip
    assert sketches[SignalKey("c", Signal.INTER_TOKEN)].total == pytest.approx(0.12)


def test_an_overdue_request_is_not_yet_bad_for_its_first_token() -> None:
    given = replace(contract("http://127.0.0.1/"), objectives=(about(Signal.FIRST_TOKEN, 0.08),))
    counting = Counter([given], 86_400.0, start_ns=DUE)
    counting.overdue("c", DUE)
    counting.add(streamed())
    (found,) = counting.finish(DUE)
    assert found.tallies[ObjectiveKey("c", "x")] == Tally(1)


def batch(**more: object) -> Batch:
    spans = (Span(0.0, 0.25, 60), Span(0.25, 0.5, 25), Span(0.5, 1.0, 10))
    whole = Batch("c", Signal.REQUESTS, DUE + S, 100, 5, spans, attributes={"region": "eu-1", "observer": "scrape"})
    return replace(whole, **more)  # type: ignore[arg-type]


def test_a_batch_is_good_bad_or_not_known() -> None:
    assert tallied(about(Signal.REQUESTS, 0.5), batch()) == Tally(85, 15)
    assert tallied(about(Signal.REQUESTS, None), batch()) == Tally(95, 5)
    assert tallied(about(Signal.REQUESTS, 0.5, errors="excluded"), batch()) == Tally(85, 10, excluded=5)
    between = record(about(Signal.REQUESTS, 0.7, errors="excluded"), batch())
    key = ObjectiveKey("c", "x")
    assert between.tallies[key] == Tally(85, 0, excluded=15)
    assert between.exclusions[key] == {BETWEEN_BOUNDS: 10, FAILED: 5}


def test_a_batch_is_eligible_or_exempt_as_a_whole() -> None:
    eu = about(Signal.REQUESTS, 0.5, where=(Wanted("region", ("eu-*",)),))
    assert tallied(eu, batch(), batch(attributes={"region": "us-1"})) == Tally(85, 15)
    shed = about(Signal.REQUESTS, 0.5, exclude=(Exclude("shed", status=((429, 429),)),))
    found = record(shed, batch(attributes={"status": "429"}))
    assert found.exclusions[ObjectiveKey("c", "x")] == {Exclusion(ExclusionKind.EXCLUDE, "shed"): 100}


def test_a_batch_of_another_signal_or_contract_is_no_event() -> None:
    one = about(Signal.FIRST_TOKEN, 0.5)
    assert tallied(one, batch(), batch(contract="other", signal=Signal.FIRST_TOKEN)) == Tally()
    assert tallied(one, batch(signal=Signal.FIRST_TOKEN)) == Tally(85, 15)
