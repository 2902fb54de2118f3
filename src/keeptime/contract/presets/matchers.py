"""Label matchers such as `code!~"2..",model="llama"`, asked of one series' labels.

Guarantees: they mean what they mean in PromQL: a label that is not there is "", a pattern covers the whole value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import promql_parser as promql

from keeptime.contract.promql import wrong_matchers

LONGEST_VALUE = 1000
"""Characters of a label's value that a pattern is tried on; a longer one fits no pattern."""


@dataclass(frozen=True, slots=True)
class Matchers:
    """`text`: valid matchers; "" for none, which all series fit."""

    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.text)

    def fit(self, labels: Mapping[str, str]) -> bool:
        """Does a series with these labels fit all of them?"""
        return all(_fits(op, value, labels.get(name, "")) for name, op, value in _parsed(self.text))


@lru_cache(maxsize=1024)
def _parsed(text: str) -> tuple[tuple[str, str, str], ...]:
    if not text:
        return ()
    found = promql.parse("x{" + text + "}")
    assert isinstance(found, promql.VectorSelector), "matchers were checked when they were read"
    return tuple((each.name, str(each.op).rpartition(".")[2], each.value) for each in found.matchers.matchers)


def _alternatives(text: str) -> bool:
    found = promql.parse("x{" + text + "}")
    return isinstance(found, promql.VectorSelector) and bool(found.matchers.or_matchers)


def _fits(op: str, wanted: str, given: str) -> bool:
    if op in ("Equal", "NotEqual"):
        return (given == wanted) == (op == "Equal")
    return (len(given) <= LONGEST_VALUE and _pattern(wanted).fullmatch(given) is not None) == (op == "Re")


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.DOTALL)


def unusable(text: str) -> str:
    """What is wrong with matchers, "" if nothing is. Python's patterns are not quite PromQL's."""
    if wrong := wrong_matchers(text):
        return wrong
    if _alternatives(text):
        return "joins matchers by 'or'; expected a comma, or a pattern such as a=~\"x|y\""
    try:
        for _, op, value in _parsed(text):
            if op in ("Re", "NotRe"):
                _pattern(value)
    except re.error as error:
        return f"has a pattern that is not understood: {error}"
    return ""
