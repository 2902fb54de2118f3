"""`where` and `exclude` on attributes, as a table."""

import pytest

from keeptime.contract.eligibility import exempted, fits
from keeptime.contract.scope import Exclude, Wanted
from keeptime.model.exclusion import Exclusion, ExclusionKind
from keeptime.model.sample import Failure


@pytest.mark.parametrize(
    ("given", "wanted", "holds"),
    [
        ("v2", "v2", True),
        ("v2", "v20", False),
        ("eu-west", "eu-*", True),
        ("us-east", "eu-*", False),
        ("eu.west", "eu?west", True),
        ("eu-west", "eu.west", False),
        ("a[b]", "a[b]*", True),
        ("", "*", True),
        ("abcab", "a*ab", True),
        ("aba", "ab*ba", False),
        ("xaybzb", "*a?b*b", True),
        ("a" * 200, "*" + "a*" * 40 + "b", False),
        ("a" * 200, "*" + "a*" * 40 + "a", True),
        ("4096", "<= 4096", True),
        ("4096.0", "<=4096", True),
        ("4097", "<= 4096", False),
        ("4096", "< 4096", False),
        ("4096", ">= 4096", True),
        ("4096", "> 4095.999", True),
        ("-1", "< 0", True),
        ("many", "<= 4096", False),
        ("4097", "!= 4096", True),
        ("4096.0", "!= 4096", False),
        ("many", "!= 4096", False),
        ("1e3", "<= 4096", False),
        ("true", "true", True),
    ],
)
def test_one_value(given: str, wanted: str, holds: bool) -> None:
    assert fits((Wanted("it", (wanted,)),), {"it": given}) is holds


def test_all_must_hold_and_any_value_of_a_list_does() -> None:
    where = (Wanted("region", ("eu-*", "us-east")), Wanted("tokens", ("<= 10",)))
    assert fits(where, {"region": "us-east", "tokens": "10"})
    assert not fits(where, {"region": "us-east", "tokens": "11"})
    assert not fits(where, {"region": "us-east"})
    assert fits((), {})


def test_an_exclusion_asks_for_all_that_it_says_and_the_first_gives_the_reason() -> None:
    both = Exclude("link", "net", failure=Failure.TIMEOUT, where=(Wanted("region", ("us-*",)),))
    shed = Exclude("shed", status=((429, 429), (500, 599)))
    late = Exclude("late", status=((400, 499),))
    rules = (both, shed, late)
    assert exempted(rules, None, Failure.TIMEOUT, {"region": "us-1"}) == Exclusion(
        ExclusionKind.EXCLUDE, "link", "net"
    )
    assert exempted(rules, None, Failure.TIMEOUT, {"region": "eu-1"}) is None
    assert exempted(rules, 429, Failure.STATUS, {}) == Exclusion(ExclusionKind.EXCLUDE, "shed")
    assert exempted(rules, 404, Failure.STATUS, {}) == Exclusion(ExclusionKind.EXCLUDE, "late")
    assert exempted(rules, 200, None, {}) is None
