"""What programs post of single requests: counted once each, refused one by one with a reason."""

import asyncio
import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.contract.traffic.push import Push
from keeptime.model.tally import Tally
from keeptime.observe.intake.bodies import MOST_ITEMS
from keeptime.observe.intake.refusing import Busy, IntakeRefused, NotAsked, TooMany, Unknown, Unreadable

from .given import NOW, SECOND, Given, contract

FAST: Mapping[str, object] = {"latency_seconds": 0.2}


def lines(*items: object) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in items)


def test_a_list_one_object_and_lines_are_counted_alike() -> None:
    slow, failed = {"latency_seconds": 0.7}, {"latency_seconds": 0.1, "failure": "timeout"}
    for body, more in (
        (json.dumps([FAST, slow, failed]).encode(), {}),
        (lines(FAST, slow, failed) + b"\n\n", {"lines": True}),
    ):
        found = Given()
        said = found.push(body, **more)
        assert (said.taken, said.refused, said.late) == (3, 0, 0)
        assert said.thresholds == {"requests": (0.5,), "first_token": (0.3,)}
        assert found.counted() == {"fast": Tally(1, 2), "works": Tally(2, 1), "first": Tally(0, 1)}
    found = Given()
    assert found.push(json.dumps(FAST).encode()).taken == 1
    assert found.counted()["fast"] == Tally(1)


def test_a_bad_item_is_refused_with_its_index_and_the_others_are_counted() -> None:
    found = Given()
    said = found.push(
        b'{"latency_seconds": 0.1}\nrubbish\n{"latency_seconds": -1}\n[]\n{"latency_seconds": 0.2}', lines=True
    )
    assert (said.taken, said.refused) == (2, 3)
    assert [at for at, _ in said.first] == [1, 2, 3]
    assert "no JSON" in said.first[0][1]
    assert found.counted()["fast"] == Tally(2)
    (view,) = found.pushes.views("served")
    assert (view.results, view.requests, view.at) == ({"ok": 2, "refused": 3}, 2, NOW)


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ('{"latency_seconds": NaN}', "latency_seconds: given nan"),
        ('{"latency_seconds": -0.001}', "given -0.001"),
        ('{"latency_seconds": 1e999}', "given inf"),
        ('{"latency_seconds": 90000}', "expected 0 to 86400"),
        ('{"latency_seconds": %s}' % ("9" * 400), "given 9999"),
        ('{"latency_seconds": "0.1"}', "expected a number"),
        ('{"latency_seconds": true}', "expected a number"),
        ('{"latency_seconds": null}', "expected a number"),
        ("{}", "latency_seconds is missing"),
        ('{"latency_seconds": 0.1, "latency": 2}', "'latency' is unknown"),
        ('{"latency_seconds": 0.1, "failure": "sad"}', "expected null or one of dns"),
        ('{"latency_seconds": 0.1, "failure": false}', "expected null or one of dns"),
        ('{"latency_seconds": 0.1, "status": 99}', "status"),
        ('{"latency_seconds": 0.1, "status": "200"}', "status"),
        ('{"latency_seconds": 0.1, "at": "yesterday"}', "given 'yesterday'"),
        ('{"latency_seconds": 0.1, "at": "2027-01-15T08:00:00"}', "with a time zone"),
        ('{"latency_seconds": 0.1, "at": 1800000000000}', "expected Unix seconds"),
        ('{"latency_seconds": 0.1, "at": %s}' % ("9" * 400), "expected Unix seconds"),
        ('{"latency_seconds": 0.1, "at": NaN}', "expected Unix seconds"),
        ('{"latency_seconds": 0.1, "first_token_seconds": 0.2}', "later than it ended"),
        ('{"latency_seconds": 0.1, "first_token_seconds": 0.05, "gaps": [[0.2, 1]]}', "later than it ended"),
        ('{"latency_seconds": 0.1, "first_token_seconds": 0.05, "gaps": [[0.02, 0]]}', "gaps: expected pairs"),
        ('{"latency_seconds": 0.1, "first_token_seconds": 0.05, "gaps": [[-1, 1]]}', "gaps: expected pairs"),
        ('{"latency_seconds": 0.1, "gaps": [[0.02, 1]]}', "first_token_seconds is missing"),
        ('{"latency_seconds": 0.1, "gaps": 5}', "gaps: expected a list"),
        ('{"latency_seconds": 0.1, "tokens": -1}', "tokens"),
        ('{"latency_seconds": 0.1, "tokens": 1.5}', "tokens"),
        ('{"latency_seconds": 0.1, "attributes": []}', "attributes: expected an object"),
        ('{"latency_seconds": 0.1, "attributes": {"Bad Name": 1}}', "'Bad Name' is no name"),
        ('{"latency_seconds": 0.1, "attributes": {"observer": "probe"}}', "keeptime gives itself"),
        ('{"latency_seconds": 0.1, "attributes": {"a": null}}', "expected a text"),
        ('{"latency_seconds": 0.1, "attributes": {"a": "%s"}}' % ("x" * 201), "201 characters"),
        (json.dumps({"latency_seconds": 0.1, "attributes": {f"a{n}": 1 for n in range(21)}}), "at most 20"),
        ("[" * 5000, "no JSON"),
        ("5", "expected an object"),
    ],
)
def test_what_a_request_cannot_be_is_refused_with_what_was_expected(item: str, why: str) -> None:
    found = Given()
    said = found.push(item.encode() + b'\n{"latency_seconds": 0.1}', lines=True)
    assert (said.taken, said.refused) == (1, 1)
    assert why in said.first[0][1]
    assert len(said.first[0][1]) < 300


def test_an_answer_of_5xx_failed_and_attributes_decide_what_it_is() -> None:
    found = Given()
    found.push(lines(FAST | {"status": 503}, FAST | {"status": 404}), lines=True)
    assert found.counted()["works"] == Tally(1, 1)


def test_tokens_of_a_stream_are_counted() -> None:
    found = Given()
    stream = {"latency_seconds": 2.0, "first_token_seconds": 0.25, "gaps": [[0.01, 1], [0.02, 2]], "tokens": 4}
    late = {"latency_seconds": 2.0, "first_token_seconds": 0.35}
    found.push(json.dumps([stream, late]).encode())
    assert found.counted()["first"] == Tally(1, 1)


@pytest.mark.parametrize(
    ("at", "taken", "result"),
    [
        (NOW, 1, {"ok": 1}),
        (NOW + 59, 1, {"ok": 1}),
        ("2027-01-15T09:00:00+01:00", 1, {"ok": 1}),
        (NOW - 3500, 1, {"ok": 1, "late": 1}),
        (NOW - 3700, 0, {"skewed": 1}),
        (NOW + 61, 0, {"skewed": 1}),
    ],
)
def test_a_clock_may_be_off_a_little_and_what_is_late_is_counted_as_late(
    at: object, taken: int, result: dict[str, int]
) -> None:
    found = Given()
    said = found.push(json.dumps(FAST | {"at": at}).encode())
    assert (said.taken, said.late) == (taken, result.get("late", 0))
    assert found.pushes.views("served")[0].results == result
    assert found.counted().get("fast", Tally()) == Tally(taken)


def test_nothing_is_counted_in_the_future() -> None:
    found = Given()
    found.push(json.dumps(FAST | {"at": NOW + 59}).encode())
    ticks = [record.tick for record in found.counter.close(found.now.ns + 10 * SECOND) if record.tallies]
    assert ticks == [NOW // 10]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"", Unreadable),
        (b"{", Unreadable),
        (b"\xff", Unreadable),
        (b"5", Unreadable),
        (b'"text"', Unreadable),
        (b"null", Unreadable),
        (b"[" * 100_000, Unreadable),
        (b"9" * 5000, Unreadable),
        (json.dumps([0] * (MOST_ITEMS + 1)).encode(), TooMany),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_whole(body: bytes, wrong: type[IntakeRefused]) -> None:
    found = Given()
    with pytest.raises(wrong):
        found.push(body)
    assert found.counted() == {}


def test_only_a_contract_that_asks_for_it_takes_it_and_from_whom_it_says() -> None:
    found = Given(contract(), contract(name="probed", objectives=()), contract(Push("push", "batch"), name="mine"))
    object.__setattr__(found.contracts[1], "traffic", ())
    found.pushes = type(found.pushes)(found.contracts, found.counter, found.pushes._line, found.now, 10.0)
    body = json.dumps(FAST).encode()
    with pytest.raises(Unknown, match="no contract 'nobody'"):
        found.push(body, contract="nobody")
    with pytest.raises(NotAsked, match="no entry 'push'"):
        found.push(body, contract="probed")
    for token in ("", "other"):
        with pytest.raises(NotAsked, match="the token 'batch' alone"):
            found.push(body, contract="mine", token=token)
    assert found.push(body, contract="mine", token="batch").taken == 1


def test_a_body_under_a_key_is_counted_once_for_an_hour() -> None:
    found = Given()
    body = json.dumps([FAST, FAST]).encode()
    said = found.push(body, key="run-7")
    assert found.push(body, key="run-7") == said
    with pytest.raises(Unreadable, match="another body"):
        found.push(json.dumps([FAST]).encode(), key="run-7")
    with pytest.raises(Unreadable, match="at most 200"):
        found.push(body, key="k" * 201)
    assert found.counted()["fast"] == Tally(2)
    assert found.pushes.views("served")[0].results == {"ok": 2, "repeated": 2}
    found.now.go(3601)
    assert found.push(body, key="run-7").taken == 2
    assert found.counted()["fast"] == Tally(2)


def test_counting_goes_on_where_it_was_over_a_reload() -> None:
    found = Given()
    found.push(json.dumps(FAST).encode())
    asyncio.run(found.pushes.prepare([contract(), contract(name="new")])())  # type: ignore[arg-type]
    assert found.pushes.views("served")[0].requests == 1
    assert found.push(json.dumps(FAST).encode(), contract="new").taken == 1
    asyncio.run(found.pushes.prepare([contract(name="new")])())  # type: ignore[arg-type]
    with pytest.raises(Unknown):
        found.push(json.dumps(FAST).encode())


def test_at_the_end_what_came_is_counted_and_more_is_told_to_come_again() -> None:
    found = Given()
    found.push(json.dumps(FAST).encode())
    asyncio.run(found.pushes.stop())
    with pytest.raises(Busy):
        found.push(json.dumps(FAST).encode())
    assert found.counted()["fast"] == Tally(1)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(
    ["at", "latency_seconds", "failure", "status", "first_token_seconds", "gaps", "tokens", "attributes", "series"]
)


@settings(max_examples=60, deadline=None)
@given(items=st.lists(st.dictionaries(names, anything, max_size=5) | anything, max_size=5))
def test_whatever_is_posted_is_counted_or_refused(items: list[object]) -> None:
    found = GIVEN
    before = found.pushes.views("served")[0].requests
    said = found.push(json.dumps(items).encode())
    assert said.taken + said.refused == len(items)
    assert found.pushes.views("served")[0].requests == before + said.taken


GIVEN = Given()


def test_lines_without_end_are_not_even_read() -> None:
    found = Given()
    with pytest.raises(TooMany, match="holds 1000000 requests"):
        found.push(b"x\n" * 1_000_000, lines=True)
