"""Which terms leave a request out: what `where` and `exclude` mean for one request's attributes.

Guarantees: pure; an attribute that a request does not have fits nothing, and neither does a text where a number is
asked for. Of several exclusions the first that fits gives the reason.
"""

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import lru_cache

from keeptime.contract.scope import Exclude, Wanted, Where
from keeptime.model.exclusion import Exclusion, ExclusionKind
from keeptime.model.sample import Failure

Attributes = Mapping[str, str]
COMPARISON = re.compile(r"(<=|>=|!=|<|>)\s*(-?\d{1,15}(?:\.\d{1,9})?)", re.ASCII)
NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)


def fits(where: Where, attributes: Attributes) -> bool:
    """Does all of it hold?"""
    return all(_one_fits(each, attributes) for each in where)


def _one_fits(wanted: Wanted, attributes: Attributes) -> bool:
    given = attributes.get(wanted.attribute)
    return given is not None and any(_is(each, given) for each in wanted.any_of)


def _is(wanted: str, given: str) -> bool:
    compared = COMPARISON.fullmatch(wanted) if wanted[:1] in "<>!" else None
    if compared is not None:
        return NUMBER.fullmatch(given) is not None and _compare(compared[1], Fraction(given), Fraction(compared[2]))
    return wanted == given or (("*" in wanted or "?" in wanted) and _pattern(wanted).fullmatch(given) is not None)


def _compare(sign: str, given: Fraction, limit: Fraction) -> bool:
    if sign == "!=":
        return given != limit
    if given == limit:
        return "=" in sign
    return (given < limit) == ("<" in sign)


def is_like(pattern: str, text: str) -> bool:
    """Is it this text, where * and ? stand for others?"""
    return pattern == text or _pattern(pattern).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """What lies between two * is taken where it first occurs and never sought again: nothing here can take long."""
    first, *rest = ("".join("." if each == "?" else re.escape(each) for each in part) for part in _fixed(text))
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return re.compile(f"{first}{middle}.*{rest[-1]}" if rest else first, re.DOTALL)


def _fixed(text: str) -> list[str]:
    """What lies between the runs of *."""
    return re.split(r"\*+", text)


def exempted(
    excludes: Iterable[Exclude], status: int | None, failure: Failure | None, attributes: Attributes
) -> Exclusion | None:
    """Why such a request does not count; None where it does."""
    for each in excludes:
        if _exempts(each, status, failure, attributes):
            return Exclusion(ExclusionKind.EXCLUDE, each.reason, each.author)
    return None


def _exempts(one: Exclude, status: int | None, failure: Failure | None, attributes: Attributes) -> bool:
    if one.status and not (status is not None and any(low <= status <= high for low, high in one.status)):
        return False
    if one.failure is not None and one.failure is not failure:
        return False
    return fits(one.where, attributes)
