"""Segments are judged from their first tick on, survive a restart, and rest instead of being silent."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from keeptime.app.keeper import Keeper
from keeptime.model.alert import AlertState
from keeptime.model.key import ObjectiveKey
from keeptime.model.silence import Silence
from keeptime.model.tally import Tally, TickRecord
from keeptime.model.verdict import Condition
from keeptime.store.sqlite import SqliteStore
from tests.app.test_keeper import FIRST, TERMS, Store, contract

SPLIT = (
    TERMS.replace("over: 60s}", "over: 60s, per: model_version}").replace(
        "{every: 100ms}", '{every: 100ms, attributes: {model_version: "header:X-Version"}}'
    )
    + 'operators: {tell: ["log:"]}\n'
)
WHOLE, V1, V2 = (ObjectiveKey("kept", f"p90{each}") for each in ("", "[model_version=v1]", "[model_version=v2]"))
HOUR = 3600


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(SqliteStore.open(tmp_path / "data", tick_seconds=1.0, now=float(FIRST)))


def keeper(store: Store, tick: int = FIRST, text: str = SPLIT) -> Keeper:
    return Keeper(store, [contract(text)], 1.0, tick)  # type: ignore[arg-type]


def record(tick: int, **bad: int) -> TickRecord:
    """Ten requests of each of these versions, so many of them bad."""
    keys = {ObjectiveKey("kept", f"p90[model_version={name}]"): n for name, n in bad.items()}
    tallies = {key: Tally(10 - n, n) for key, n in keys.items()}
    return TickRecord(tick, {WHOLE: sum(tallies.values(), Tally()), **tallies})


def test_a_segment_is_judged_from_its_first_tick_on_and_operators_alone_hear_of_it(store: Store) -> None:
    one = keeper(store)
    assert one.keep([record(FIRST, v1=0)], 0.0).verdicts.keys() == {WHOLE, V1}
    kept = one.keep([record(FIRST + n, v1=0, v2=4) for n in range(1, 5)], 0.0)
    assert kept.verdicts[V1].condition is Condition.OK
    assert kept.verdicts[V2].condition is Condition.AT_RISK
    assert kept.verdicts[WHOLE].bad == 16
    (contract_,) = kept.contracts
    assert [each.name for each in contract_.objectives] == [WHOLE.objective, V1.objective, V2.objective]
    told = [each for each in kept.messages if each.key == V2]
    assert [address.audience for each in told for address in each.addresses] == ["operators"]
    said = json.loads(told[0].body)
    schema = json.loads((files("keeptime.tell") / "message.schema.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(said)
    assert said["objective"]["internal"] is True
    assert said["objective"]["segment"] == {"of": "p90", "values": {"model_version": "v2"}}


def test_a_restart_goes_on_with_the_segments_and_tells_nobody_twice(store: Store) -> None:
    one = keeper(store)
    said = one.keep([record(FIRST + n, v1=0, v2=4) for n in range(5)], 0.0)
    assert [each.key for each in said.messages if each.key != WHOLE] == [V2]
    again = keeper(store, FIRST + 5)
    assert again.segments == {V1: FIRST + 4, V2: FIRST + 4}
    kept = again.keep([record(FIRST + 5, v1=0, v2=4)], 0.0)
    assert kept.messages == ()
    assert (kept.verdicts[V2].good, kept.verdicts[V2].bad) == (36, 24)


def test_silence_of_a_segment_is_no_alert_and_after_an_hour_it_rests(store: Store) -> None:
    one = keeper(store)
    one.keep([record(FIRST + n, v1=0, v2=4) for n in range(5)], 0.0)
    kept = one.keep([record(FIRST + HOUR - 1, v1=0)], 0.0)
    assert kept.verdicts[V2].condition is not Condition.NO_DATA
    assert [each.topic for each in kept.messages if each.key == V2] == []
    kept = one.keep([record(FIRST + HOUR + 4, v1=0)], 0.0)
    assert kept.verdicts.keys() == {WHOLE, V1}
    (over,) = [each for change in store.committed for each in change.messages if each.key == V2][1:]
    assert over.topic == "withdrawn"
    assert json.loads(over.body)["reason"].startswith("no requests of this segment come any more")
    assert store.alerts()[V2].state is AlertState.RESOLVED
    assert one.keep([record(FIRST + HOUR + 5, v1=0, v2=0)], 0.0).verdicts.keys() == {WHOLE, V1, V2}


def test_where_the_store_fails_a_segment_is_judged_as_soon_as_it_does_not(store: Store) -> None:
    one = keeper(store)
    one.keep([record(FIRST, v1=0)], 0.0)
    store.failures = 2
    assert one.keep([record(FIRST + 1, v1=0)], 0.0).problem
    assert one.keep([record(FIRST + 2, v1=0, v2=1)], 0.0).verdicts.keys() == {WHOLE, V1}
    kept = one.keep([record(FIRST + 3, v1=0)], 0.0)
    assert (kept.verdicts[V2].good, kept.verdicts[V2].bad) == (9, 1), "nothing of it is lost"


def test_other_contracts_take_their_segments_with_them(store: Store) -> None:
    one = keeper(store)
    one.keep([record(FIRST + n, v1=0, v2=4) for n in range(5)], 0.0)
    (over,) = [each for each in one.replace([contract()], 0.0) if each.key == V2]
    assert over.topic == "withdrawn"
    assert one.keep([record(FIRST + 5, v1=0)], 0.0).verdicts.keys() == {WHOLE}
    one.replace([contract(SPLIT)], 0.0)
    assert one.keep([record(FIRST + 6, v1=0)], 0.0).verdicts[V1].good == 70, "what was counted is known still"


def test_whoever_silences_an_objective_silences_its_segments() -> None:
    silence = Silence(1, "kept", "p90", "ann", "roll-out", 0.0, 10.0)
    assert [silence.covers(key) for key in (WHOLE, V1, ObjectiveKey("kept", "p9"))] == [True, True, False]
    assert not Silence(1, "kept", V1.objective, "ann", "roll-out", 0.0, 10.0).covers(WHOLE)
