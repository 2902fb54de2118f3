"""Stacks put together: as lines, for speedscope and pprof, and as a flame graph whose boxes hold one another."""

import gzip
import itertools
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.explain.stacks import OUTSIDE, Profile, drawn, folded, of_requests, pprof, profile_of, speedscope, svg
from keeptime.explain.stacks.flame import ROW, WIDTH
from keeptime.explain.stacks.profile import Place, place_of
from keeptime.model.exemplar import Exemplar
from keeptime.model.trace import Why

WAITS = "app.predict (app.py:3);faults.Work.predict (faults.py:92);[waiting]"
RUNS = "app.predict (app.py:4);model.read (model.py:34)"


def slow(*stacks: tuple[str, int], weight: float = 1.0) -> Exemplar:
    return Exemplar("c", 1, 2, Why.SLOW, weight=weight, stacks=stacks)


PROFILE = profile_of([slow((WAITS, 30), (RUNS, 1)), slow((WAITS, 10), weight=2.5), slow(weight=9.0)])

frames = st.sampled_from(["a.f (a.py:1)", "a.g (a.py:9)", "b.h (b.py:2)", '<b&"> (x:1)', "[waiting]", "plain", "é"])
profiles = st.dictionaries(
    st.lists(frames, min_size=1, max_size=6).map(tuple), st.floats(0.1, 1e6), min_size=1, max_size=30
).map(lambda stacks: Profile(stacks, 3))


def test_each_request_counts_for_as_many_as_it_stands_for() -> None:
    assert PROFILE.requests == 2
    assert PROFILE.stacks == {tuple(WAITS.split(";")): 55.0, tuple(RUNS.split(";")): 1.0}
    assert PROFILE.total == 56.0
    assert folded(PROFILE) == f"{WAITS} 55\n{RUNS} 1\n"


def test_what_was_seen_from_outside_stands_in_where_requests_say_nothing() -> None:
    outside = Exemplar("c", 1, 0, Why.SLOW, observer=OUTSIDE, stacks=((RUNS, 5),))
    assert of_requests([outside, slow()]) == [outside]
    assert of_requests([outside, slow((WAITS, 1))]) == [slow((WAITS, 1))]


def test_a_frame_is_taken_apart() -> None:
    assert place_of("faults.Work.predict (examples/faults.py:92)") == Place(
        "faults.Work.predict", "examples/faults.py", 92
    )
    assert place_of("[waiting]") == Place("[waiting]")
    assert place_of("x (y)") == Place("x (y)")


def test_a_file_of_speedscope_is_as_its_format_says() -> None:
    found = json.loads(json.dumps(speedscope(PROFILE, "sentiment")))
    (profile,) = found["profiles"]
    named = found["shared"]["frames"]
    assert found["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert (profile["type"], profile["unit"], profile["startValue"], profile["endValue"]) == (
        "sampled",
        "none",
        0,
        56,
    )
    assert len(profile["samples"]) == len(profile["weights"]) == 2
    assert sum(profile["weights"]) == profile["endValue"]
    assert [[named[at]["name"] for at in sample] for sample in profile["samples"]] == [
        ["app.predict", "faults.Work.predict", "[waiting]"], ["app.predict", "model.read"],
    ]  # fmt: skip
    assert {"name": "faults.Work.predict", "file": "faults.py", "line": 92} in named
    assert {"name": "[waiting]"} in named


def _varints(data: bytes) -> list[int]:
    found, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift = shift + 7 if byte & 0x80 else 0
        if not byte & 0x80:
            found.append(value)
            value = 0
    return found


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a message; of the wire types 0 and 2, and no other is there."""
    at = 0

    def varint() -> int:
        nonlocal at
        start = at
        while data[at] & 0x80:
            at += 1
        at += 1
        return _varints(data[start:at])[0]

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        else:
            assert key & 7 == 2
            length = varint()
            yield key >> 3, data[at : at + length]
            at += length


def _one(data: int | bytes) -> dict[int, int | bytes]:
    assert isinstance(data, bytes)
    return dict(_fields(data))


def _decoded(found: bytes) -> dict[tuple[str, ...], int]:
    """Samples of a pprof file by their stacks, by the field numbers of the published profile.proto."""
    parts = list(_fields(gzip.decompress(found)))
    strings = [each.decode() for field, each in parts if field == 6 and isinstance(each, bytes)]
    assert strings[0] == ""
    kinds = [_one(each) for field, each in parts if field == 1]
    assert [(strings[int(each[1])], strings[int(each[2])]) for each in kinds] == [("samples", "count")]
    functions = {int(each[1]): each for field, raw in parts if field == 5 for each in [_one(raw)]}
    names = {}
    for field, raw in parts:
        if field == 4:
            location = _one(raw)
            line = _one(location[4])
            function = functions[int(line[1])]
            name, file = strings[int(function[2])], strings[int(function.get(4, 0))]
            names[int(location[1])] = f"{name} ({file}:{line[2]})" if file else name
    samples = {}
    for field, raw in parts:
        if field == 2:
            sample = _one(raw)
            ids, values = sample[1], sample[2]
            assert isinstance(ids, bytes)
            assert isinstance(values, bytes)
            (count,) = _varints(values)
            samples[tuple(names[each] for each in reversed(_varints(ids)))] = count
    return samples


@given(profiles)
def test_a_file_of_pprof_says_the_same(profile: Profile) -> None:
    found = pprof(profile, "sentiment")
    assert found == pprof(profile, "sentiment")
    assert _decoded(found) == {stack: max(1, round(count)) for stack, count in profile.stacks.items()}


@given(profiles)
def test_boxes_lie_within_those_of_their_callers_and_share_nothing(profile: Profile) -> None:
    flame = drawn(profile)
    assert flame is not None
    rows: dict[float, list[tuple[float, float]]] = {}
    for box in flame.boxes:
        rows.setdefault(box.y, []).append((box.x, box.x + box.width))
    for y, spans in rows.items():
        spans.sort()
        assert all(one[1] <= other[0] + 1e-6 for one, other in itertools.pairwise(spans))
        above = rows.get(y - ROW, [(0.0, WIDTH)])
        assert all(any(low - 1e-6 <= x and end <= high + 1e-6 for low, high in above) for x, end in spans)
    assert flame.height == max(rows) + ROW
    assert sum(each.share for each in flame.top) <= 1 + 1e-9
    ElementTree.fromstring(svg(flame, "<a&b>"))


def test_the_hottest_place_is_said_in_words() -> None:
    flame = drawn(PROFILE)
    assert flame is not None
    assert flame.sentence == "98% of the time that was seen: faults.Work.predict (faults.py:92), waiting"
    kinds = {box.text: box.kind for box in flame.boxes}
    assert kinds["[waiting]"] == "did-waits"
    assert kinds["faults.Work.predict"].startswith("shade-")
    assert {box.title for box in flame.boxes} >= {"faults.Work.predict (faults.py:92): 98%"}


def test_what_grew_beside_usual_requests_is_marked() -> None:
    usual = profile_of([slow((RUNS, 50), (WAITS, 50))])
    flame = drawn(PROFILE, usual)
    assert flame is not None
    assert flame.usual == 1
    grown = {box.title for box in flame.boxes if "grown" in box.kind}
    assert "faults.Work.predict (faults.py:92): 98% (usual 50%)" in grown
    assert not any(title.startswith("model.read") for title in grown)
    assert flame.top[0].usual_percent == "50%"


@pytest.mark.parametrize("profile", [Profile(), profile_of([]), profile_of([slow()]), profile_of([slow((";", 1))])])
def test_of_nothing_there_is_no_picture(profile: Profile) -> None:
    assert drawn(profile) is None
    assert folded(profile) == ""
