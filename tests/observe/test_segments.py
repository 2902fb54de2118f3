"""Segments are counted beside the whole: each request once, so many at most, however values come."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from keeptime.contract.scope import Per, Split, Wanted
from keeptime.contract.terms import Objective
from keeptime.model.batch import Batch, Span
from keeptime.model.key import ObjectiveKey, Signal
from keeptime.model.sample import PROBE, Failure, Sample, Skipped
from keeptime.model.tally import Tally, TickRecord
from keeptime.observe.count import Counter
from keeptime.observe.route import ENDED
from tests.observe.given import contract, objective, sample

S = 1_000_000_000
T0 = 1_795_000_000 * S
DAY = 86_400
PER = Per((Split("model_version"),), most=3)
SPLIT = replace(objective("x", 0.5), per=PER)


def of(version: str | None, at: int = T0, took: int = S // 10, failure: Failure | None = None) -> Sample:
    attributes = {} if version is None else {"model_version": version}
    return replace(sample(at, took, failure), attributes=attributes, observer="push")


def counter(*objectives: Objective, tick: float = 1.0) -> Counter:
    return Counter([contract("http://127.0.0.1/", objectives=objectives or (SPLIT,))], tick, start_ns=T0)


def counted(record: TickRecord) -> dict[str, Tally]:
    return {key.objective: tally for key, tally in record.tallies.items()}


def test_each_request_is_counted_in_the_whole_and_in_one_segment() -> None:
    counting = counter()
    for each in (of("v1"), of("v2", took=S), of("v2"), of(None, failure=Failure.STATUS)):
        counting.add(each)
    (record,) = counting.close(T0 + 2 * S)
    assert counted(record) == {
        "x": Tally(2, 2),
        "x[model_version=v1]": Tally(1),
        "x[model_version=v2]": Tally(1, 1),
        "x[model_version=(none)]": Tally(0, 1),
    }
    assert sum((tally for key, tally in record.tallies.items() if "[" in key.objective), Tally()) == Tally(2, 2)


def test_batches_are_counted_in_their_segments_too() -> None:
    counting = counter()
    attributes = {"model_version": "v1", "observer": "otlp"}
    batch = Batch("c", Signal.REQUESTS, T0 + 5, 10, 1, (Span(0, 0.5, 7), Span(0.25, 1, 2)), attributes=attributes)
    counting.put_batch(batch)
    (record,) = counting.close(T0 + 2 * S)
    assert counted(record) == dict.fromkeys(("x", "x[model_version=v1]"), Tally(7, 1, excluded=2))
    assert record.exclusions.keys() == record.tallies.keys(), "the reason is kept of the segment too"


def test_places_are_few_and_the_rest_is_other() -> None:
    counting = counter()
    for n in range(100):
        counting.add(of(f"v{n}"))
    counting.add(of("v1"))
    (record,) = counting.close(T0 + 2 * S)
    found = counted(record)
    assert found["x"] == Tally(101)
    assert found["x[model_version=other]"] == Tally(97)
    assert found["x[model_version=v1]"] == Tally(2)
    assert len(found) == 1 + PER.most + 1


def test_a_place_is_free_again_a_day_after_its_last_request() -> None:
    counting = counter(tick=10.0)
    for n in range(3):
        counting.add(of(f"old{n}"))
    counting.close(T0 + 20 * S)
    late = T0 + DAY * S
    counting.add(of("new", at=late - 100 * S))
    counting.add(of("old0", at=late - 100 * S))
    counting.close(late)
    counting.add(of("new", at=late + 100 * S))
    counting.close(late + 120 * S)
    counting.add(of("new", at=late + 200 * S))
    counting.add(of("old0", at=late + 200 * S))
    records = counting.close(late + 300 * S)
    total = {key for record in records for key in counted(record)}
    assert total == {"x", "x[model_version=new]", "x[model_version=old0]"}


def test_what_an_earlier_life_saw_keeps_its_place() -> None:
    counting = counter()
    known = {ObjectiveKey("c", f"x[model_version=old{n}]"): T0 // S for n in range(3)}
    counting.know(known | {ObjectiveKey("gone", "x[model_version=v]"): 1, ObjectiveKey("c", "x"): 1})
    counting.add(of("new"))
    counting.add(of("old2"))
    (record,) = counting.close(T0 + 2 * S)
    assert counted(record).keys() == {"x", "x[model_version=other]", "x[model_version=old2]"}


def test_a_request_that_was_bad_before_its_end_is_counted_once_in_its_segment() -> None:
    counting = counter()
    for _ in range(2):
        counting.overdue("c", T0)
    counting.add(replace(of("v1", took=2 * S), observer=PROBE))
    counting.add(Skipped("c", T0, ENDED))
    (record,) = counting.close(T0 + 2 * S)
    assert counted(record) == {"x": Tally(0, 2), "x[model_version=v1]": Tally(0, 1)}


def test_only_eligible_requests_are_in_segments() -> None:
    one = replace(SPLIT, where=(Wanted("observer", ("probe",)),))
    counting = counter(one)
    counting.add(of("v1"))
    counting.add(replace(of("v1"), observer="probe"))
    (record,) = counting.close(T0 + 2 * S)
    assert counted(record) == dict.fromkeys(("x", "x[model_version=v1]"), Tally(1))


def test_every_kind_of_traffic_can_be_asked_for() -> None:
    kinds = ("probe", "scrape", "otlp", "push", "log")
    each = [replace(objective(kind, 0.5), where=(Wanted("observer", (kind,)),)) for kind in kinds]
    counting = counter(*each)
    for nth, kind in enumerate(kinds):
        for _ in range(nth + 1):
            counting.add(replace(of("v1"), observer=kind))
        counting.put_batch(
            Batch("c", Signal.REQUESTS, T0 + 5, 10, spans=(Span(0, 0.1, 10),), attributes={"observer": kind})
        )
    (record,) = counting.close(T0 + 2 * S)
    assert counted(record) == {kind: Tally(11 + nth) for nth, kind in enumerate(kinds)}


def test_other_contracts_keep_the_segments_of_what_stays() -> None:
    counting = counter()
    for n in range(3):
        counting.add(of(f"v{n}"))
    same = contract("http://127.0.0.1/", objectives=(SPLIT, objective("y", 0.1)))
    counting.replace([same])
    counting.add(of("v3"))
    (record,) = counting.close(T0 + 2 * S)
    assert "x[model_version=other]" in counted(record)
    counting.replace([contract("http://127.0.0.1/", objectives=(replace(SPLIT, per=Per((Split("region"),))),))])
    counting.add(of("v3", at=T0 + 2 * S))
    record = counting.close(T0 + 4 * S)[-1]
    assert counted(record).keys() == {"x", "x[region=(none)]"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["v1", "v2", None]), st.integers(0, S), st.sampled_from([None, *Failure]), st.booleans()
        ),
        max_size=30,
    )
)
def test_a_segment_counts_what_an_objective_with_that_where_counts(
    requests: list[tuple[str | None, int, Failure | None, bool]],
) -> None:
    one = replace(SPLIT, errors="excluded")
    asked = [replace(one, name=name, per=None, where=(Wanted("model_version", (name,)),)) for name in ("v1", "v2")]
    counting = counter(one, *asked)
    for version, took, failure, batched in requests:
        request = of(version, took=took, failure=failure)
        if batched:
            attributes = {**request.attributes, "observer": "otlp"}
            seconds, failed = took / S, int(failure is not None)
            spans = () if failed else (Span(seconds, seconds, 1),)
            counting.put_batch(Batch("c", Signal.REQUESTS, T0 + 1, 1, failed, spans, attributes=attributes))
        else:
            counting.add(request)
    (record,) = counting.close(T0 + 2 * S)
    found = counted(record)
    for name in ("v1", "v2"):
        assert found.get(f"x[model_version={name}]") == found.get(name)
