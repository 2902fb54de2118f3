"""Evidence: what is kept, how fairly, and what the answer said of itself."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.contract.terms import Contract
from keeptime.model.batch import Batch, Span
from keeptime.model.key import Signal
from keeptime.model.sample import Connection, Failure, Phases, Sample, Stream
from keeptime.model.trace import Why
from keeptime.observe.keeping import MOST, Keeping, exemplar_of
from keeptime.observe.timings import MOST as MOST_TIMINGS
from keeptime.observe.timings import timings_of, told_of
from keeptime.observe.traceparent import LINE, begun
from keeptime.testing.showable import contract

MS = 1_000_000


def sample(took: int, failure: Failure | None = None, **attributes: str) -> Sample:
    at = 1_800_000_000_000_000_000
    phases = Phases(wait=took * MS)
    return Sample(
        "sentiment-latency", at, at, at + took * MS, phases, failure, 200, 9, Connection.FRESH, True, 0,
        attributes=attributes,
    )  # fmt: skip


def kept(*samples: Sample, of: Contract | None = None) -> Keeping:
    keeping = Keeping([of or contract()], random.Random(1))
    for each in samples:
        keeping.add(each)
    return keeping


def test_slow_and_failed_ones_are_kept_and_a_few_others_that_stand_for_many() -> None:
    found = kept(*(sample(10) for _ in range(100)), sample(9_000), sample(1, Failure.REFUSED)).close()
    by = {why: [each for each in found if each.why is why] for why in Why}
    assert [each.latency_ns for each in by[Why.SLOW]] == [9_000 * MS]
    assert [each.failure for each in by[Why.FAILED]] == ["refused"]
    assert len(by[Why.USUAL]) == MOST[Why.USUAL]
    assert sum(each.weight for each in by[Why.USUAL]) == 100


def test_where_there_are_too_many_each_is_as_likely_to_be_kept() -> None:
    seen = [0] * 10
    for seed in range(200):
        keeping = Keeping([contract()], random.Random(seed))
        for number in range(1000):
            keeping.add(sample(9_000, n=str(number)))
        for each in keeping.close():
            seen[int(each.attributes["n"]) // 100] += 1
    assert sum(seen) == 200 * MOST[Why.SLOW]
    assert max(seen) / min(seen) < 1.25


def test_a_window_is_given_once_and_those_that_are_open_can_be_asked_for() -> None:
    keeping = kept(sample(9_000))
    assert len(keeping.now("sentiment-latency")) == 1
    assert keeping.now("another") == []
    assert len(keeping.close()) == 1
    assert keeping.close() == []
    keeping.replace([])
    keeping.add(sample(9_000))
    assert keeping.close() == []


def test_what_is_known_of_a_request_is_in_its_exemplar() -> None:
    one = replace(
        sample(700, region="eu", trace_id="a" * 32), timings={"queue": MS}, headers={"x-replica": "r3"},
        stream=Stream(100 * MS, 300 * MS, ((50 * MS, 1), (150 * MS, 2)), 4),
    )  # fmt: skip
    found = exemplar_of(one, Why.SLOW)
    assert found.attributes == {"x-replica": "r3", "region": "eu", "connection": "fresh"}
    assert (found.trace, found.timings, found.phases) == ("a" * 32, {"queue": MS}, {"wait": 700 * MS})
    assert found.signals["first_token"] == 100 * MS
    assert found.signals["inter_token"] == 75 * MS


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (b"queue;dur=310.5, forward;dur=12", {"queue": 310_500_000, "forward": 12 * MS}),
        (b'cache;desc="a, b";dur=1.5,miss', {"cache": 1_500_000}),
        (b'db;dur="2"', {"db": 2 * MS}),
        (b"db;dur=2, db;dur=3", {"db": 5 * MS}),
        (b"db;dur=-2, x;dur=1e3, ;dur=4", {}),
        (b"", {}),
    ],
)
def test_server_timing_is_read_where_it_is_one(said: bytes, found: dict[str, int]) -> None:
    if said.startswith(b"db;dur=-2"):
        assert "db" not in timings_of({b"server-timing": said})
        return
    assert timings_of({b"server-timing": said}) == found


@given(st.binary(max_size=300))
def test_no_header_is_too_odd(said: bytes) -> None:
    found = timings_of({b"server-timing": said})
    assert len(found) <= MOST_TIMINGS
    assert all(each >= 0 for each in found.values())
    told_of({b"server": said})


def test_other_headers_are_not_kept() -> None:
    assert told_of({b"set-cookie": b"secret", b"x-served-by": b"r3"}) == {"x-served-by": "r3"}


def test_each_request_begins_a_trace_of_its_own_unless_the_contract_has_one() -> None:
    ready = f"GET / HTTP/1.1\r\n{LINE}\r\n\r\n".encode()
    (first, trace), (second, other) = begun(ready), begun(ready)
    assert trace != other
    assert f"traceparent: 00-{trace}-".encode() in first
    assert len(first) == len(second) == len(ready)
    own = b"GET / HTTP/1.1\r\ntraceparent: mine\r\n\r\n"
    assert begun(own) == (own, "")


def test_counts_with_labels_are_two_requests_that_stand_for_many() -> None:
    keeping = kept()
    of = Batch(
        "sentiment-latency", Signal.REQUESTS, 10**18, 100, 5, (Span(0.0, 0.1, 80), Span(1.0, 2.0, 15)),
        attributes={"observer": "scrape", "replica": "r3"},
    )  # fmt: skip
    keeping.add_batch(of)
    keeping.add_batch(replace(of, attributes={"observer": "scrape"}))
    found = {each.why: each for each in keeping.close()}
    assert {why: each.weight for why, each in found.items()} == {Why.SLOW: 15.0, Why.FAILED: 5.0, Why.USUAL: 80.0}
    assert all(each.attributes == {"replica": "r3"} and each.observer == "scrape" for each in found.values())
    under = 500 * MS
    assert [found[why].bad(under) for why in (Why.SLOW, Why.FAILED, Why.USUAL)] == [True, True, False]
    assert keeping.close() == []
