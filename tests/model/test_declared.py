"""When there can be no exclusion, and how one stands."""

import pytest

from keeptime.model.declared import FARTHEST, LONGEST, NOTICE, Declared, refusal

NOW = 1_800_000_000.0
ONE = Declared(1, "c", "", "ann", "new racks", NOW + 60, NOW + 3600, NOW)


@pytest.mark.parametrize(
    ("begins", "until", "why"),
    [
        (NOW + NOTICE, NOW + NOTICE + LONGEST, ""),
        (NOW + FARTHEST, NOW + FARTHEST + 1, ""),
        (NOW - 3600, NOW + 3600, "stays as it was judged, and as it is signed in the ledger"),
        (NOW + NOTICE - 1, NOW + 3600, "expected `from` after 2027-01-15 08:01:00 UTC"),
        (NOW + FARTHEST + 1, NOW + FARTHEST + 2, "in more than a year"),
        (NOW + 100, NOW + 100, "would end before it begins"),
        (NOW + 100, NOW + 101 + LONGEST, "for more than 31 days"),
    ],
)
def test_a_span_that_cannot_be_says_why(begins: float, until: float, why: str) -> None:
    said = refusal(begins, until, NOW)
    assert (why in said) if why else said == ""


def test_it_is_to_come_then_active_then_over() -> None:
    assert [ONE.standing(NOW + at) for at in (0, 60, 3599, 3600)] == ["to come", "active", "active", "over"]


def test_one_that_is_ended_before_it_begins_never_does() -> None:
    assert ONE.ending("bob", "", NOW).until == ONE.begins
    assert ONE.ending("bob", "done", NOW + 100).until == NOW + 100
