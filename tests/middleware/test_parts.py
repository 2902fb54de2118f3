"""The parts by themselves: importing, labels, counting."""

import math
import random
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeptime.middleware import Caps, Labels, Recorder
from keeptime.middleware.labels import LONGEST, Capped, clean
from keeptime.middleware.layout import MOST_SERIES
from keeptime.middleware.totals import SeriesTotals, totals
from keeptime.model.sketch import Sketch

IMPORTED = """
import sys
import keeptime.middleware
parts = {name.partition(".")[0] for name in sys.modules}
print(sorted(parts - sys.stdlib_module_names - {"keeptime", "__main__", "__mp_main__"}))
own = {name.split(".")[1] for name in sys.modules if name.startswith("keeptime.")}
print(sorted(own - {"middleware", "model"}))
"""


def test_importing_it_imports_nothing_but_the_standard_library_and_the_model() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {[*sys.path]}; {IMPORTED}"],
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["[]", "[]"], done.stderr


def _series(recorder: Recorder, signal: str = "requests") -> SeriesTotals:
    (found,) = [each for each in totals(recorder.memory).series if each.signal == signal]
    return found


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1e6) | st.sampled_from([0.5, 1.0, 2.0, 0.25, 0.3]), min_size=1))
def test_a_latency_is_in_the_bucket_of_the_sketch_and_within_exactly_the_thresholds_above_it(
    values: list[float],
) -> None:
    recorder = Recorder(thresholds=[0.3, 0.301, 1.0, 70.0])
    sketch = Sketch()
    for each in values:
        recorder.come()
        recorder.series(Labels()).served(each)
        sketch.add(min(each, 131072.0))
    found = _series(recorder)
    assert (found.buckets, found.zeros) == (sketch.buckets, sketch.zeros)
    assert found.within == {
        round(limit * 1e9): sum(each <= limit for each in values) for limit in (0.3, 0.301, 1.0, 70.0)
    }


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 100) | st.just(0.25), min_size=1, max_size=200))
def test_the_gaps_of_a_stream_are_as_counted_one_by_one(gaps: list[float]) -> None:
    stamps = [1000.0]
    for each in gaps:
        stamps.append(stamps[-1] + each)
    real = [after - before for before, after in pairwise(stamps)]
    recorder = Recorder(thresholds={"inter_token": [0.2, 0.25, 3.0]})
    recorder.series(Labels()).streamed(999.0, stamps, 5.0)
    found, sketch = _series(recorder, "inter_token"), Sketch()
    for each in real:
        sketch.add(each)
    assert (found.buckets, found.zeros) == (sketch.buckets, sketch.zeros)
    assert list(found.within.values()) == [sum(each <= limit for each in real) for limit in (0.2, 0.25, 3.0)]
    assert math.isclose(found.sum, sum(real), rel_tol=1e-6, abs_tol=1e-6)


def test_a_threshold_that_is_learnt_counts_from_then_on() -> None:
    recorder = Recorder()
    series = recorder.series(Labels())
    series.served(0.3001)
    recorder.learn([0.3])
    before = _series(recorder).within[300_000_000]
    for each in (0.1, 0.2999, 0.3001):
        series.served(each)
    assert _series(recorder).within[300_000_000] - before == 2


@pytest.mark.parametrize("wrong", [{"requests": [0]}, {"latency": [1.0]}, [math.nan], [-1.0]])
def test_thresholds_that_are_none_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        Recorder(thresholds=wrong)  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None)
@given(st.text())
def test_a_cleaned_value_is_short_printable_and_clean(value: str) -> None:
    found = clean(value)
    assert found.isprintable()
    assert len(found.encode()) <= LONGEST
    assert clean(found) == found


def test_labels_beyond_their_caps_are_other() -> None:
    capped = Capped(Caps(route=2, consumer=1), most=3)
    assert [capped.capped(Labels(route)).route for route in "abcb"] == ["a", "b", "other", "b"]
    assert capped.capped(Labels("a", consumer="x")) == ("other", "", "", "other")
    assert capped.beyond == 2


def test_more_series_than_there_is_room_for_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 1 to 256"):
        Recorder(most_series=257)


def test_a_recorder_full_of_labels_counts_on() -> None:
    recorder = Recorder(caps=Caps(*[10_000] * 4))
    random.seed(1)
    for number in range(1000):
        recorder.series(Labels(f"/{number}", "", f"v{random.random()}")).streamed(0.0, [1.0, 2.0], 3.0)
    requests = [each for each in totals(recorder.memory).series if each.signal == "requests"]
    assert sum(each.count for each in requests) == 1000
    assert len(requests) == MOST_SERIES + 1


def test_a_value_that_is_cleaned_is_known_when_it_comes_again() -> None:
    capped = Capped(Caps(), 10)
    for value in ("v" * 200, "\x07", " blank "):
        labels = Labels("/predict", consumer=value)
        assert not capped.knows(labels)
        capped.capped(labels)
        assert capped.knows(labels)
