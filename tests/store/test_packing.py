"""A histogram comes back from its row exactly as it went in."""

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keeptime.errors import StoreDamaged
from keeptime.model.sketch import Sketch
from keeptime.store.packing import packed, unpacked

pytestmark = pytest.mark.sqlite

SKETCHES = st.builds(
    Sketch,
    scale=st.integers(-10, 20),
    zeros=st.integers(0, 2**62),
    total=st.floats(0, 1e300),
    buckets=st.dictionaries(st.integers(-3000, 3000), st.integers(1, 2**63), max_size=40),
)


@given(sketch=SKETCHES)
@example(sketch=Sketch(buckets={-5: 255, -4: 256, 7: 65_536}))
@example(sketch=Sketch())
def test_it_comes_back_as_it_was(sketch: Sketch) -> None:
    assert unpacked(packed(sketch)) == sketch


@given(data=st.binary(max_size=200))
def test_other_bytes_are_damage_or_a_sketch(data: bytes) -> None:
    with suppress(StoreDamaged):
        assert isinstance(unpacked(data), Sketch)


def test_a_cut_off_row_is_damage() -> None:
    with pytest.raises(StoreDamaged, match="damaged"):
        unpacked(packed(Sketch(buckets={1: 500, 2: 3}))[:-2])
