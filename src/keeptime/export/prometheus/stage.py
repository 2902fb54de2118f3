"""Raw series that carry a given stream of requests, so that exported rules can be proved on them.

Guarantees: the rules' own expressions count exactly the stream. Says where it cannot: a selector whose labels
cannot be told from its matchers, a native histogram (promtool's tests have none), an expression of one's own.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import promql_parser as promql

from keeptime.contract.promql import is_selector
from keeptime.contract.sources import ClassicHistogram, CounterPair, Counts, ProbeGauges
from keeptime.contract.terms import Contract
from keeptime.export.prometheus.increases import own_counting

Values = Sequence[int | None]
"""One number per evaluation, the first at time 0; None where there is no sample."""
Labels = dict[str, str]


class NotShown(Exception):
    """These series cannot be made up; the message says why."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Good and bad requests of each evaluation after the first; `there`: whether its scrape succeeded."""

    good: Sequence[int]
    bad: Sequence[int]
    there: Sequence[bool]


@dataclass(frozen=True, slots=True)
class Series:
    """`text` as promtool writes a series; its values."""

    text: str
    values: Values

    def plain(self) -> dict[str, object]:
        return {"series": self.text, "values": compact(self.values)}


def staged(contract: Contract, stream: Stream) -> list[Series]:
    """Every raw series that this contract's rules read. Raises NotShown."""
    if contract.source is None:
        return [each for objective in contract.objectives for each in _own(contract, objective.name, stream)]
    return list(_foreign(contract, contract.source.counts, stream))


def _own(contract: Contract, objective: str, stream: Stream) -> Iterator[Series]:
    (term,) = own_counting(contract.key(next(o for o in contract.objectives if o.name == objective))).good
    yield Series(term.expression, _counted(stream.good, stream))
    yield Series(term.expression.replace('result="good"', 'result="bad"'), _counted(stream.bad, stream))


def _foreign(contract: Contract, counts: Counts, stream: Stream) -> Iterator[Series]:
    match counts:
        case ClassicHistogram():
            yield from _classic(contract, counts, stream)
        case ProbeGauges():
            yield from _gauges(counts, stream)
        case CounterPair():
            yield from _pair(counts, stream)
        case _:
            raise NotShown("promtool's tests cannot hold a native histogram")


def _classic(contract: Contract, counts: ClassicHistogram, stream: Stream) -> Iterator[Series]:
    labels = example_labels(f"x{{{counts.selector}}}")
    failed = labels | example_labels(f"x{{{counts.failed}}}") if counts.failed else labels
    good, bad = _counted(stream.good, stream), _counted(stream.bad, stream)
    apart = failed != labels
    every = good if apart else _counted([g + b for g, b in zip(stream.good, stream.bad, strict=True)], stream)
    yield Series(_text(f"{counts.metric}_count", labels), every)
    bounds = {each.under * counts.unit.per_second for each in contract.objectives if each.under is not None}
    for bound in sorted(bounds):
        yield Series(_text(f"{counts.metric}_bucket", labels | {"le": f"{bound:.15g}"}), good)
    if apart:
        yield Series(_text(f"{counts.metric}_count", failed), bad)
        for bound in sorted(bounds):
            none = [None if each is None else 0 for each in bad]
            yield Series(_text(f"{counts.metric}_bucket", failed | {"le": f"{bound:.15g}"}), none)


def _gauges(counts: ProbeGauges, stream: Stream) -> Iterator[Series]:
    """One event per evaluation: good if any request of it was, absent without one."""
    labels = example_labels(f"x{{{counts.selector}}}")
    seen = [there and good + bad > 0 for good, bad, there in _each(stream)]
    success = [
        None,
        *((1 if good else 0) if there else None for good, there in zip(stream.good, seen, strict=True)),
    ]
    yield Series(_text(counts.success, labels), success)
    yield Series(_text(counts.duration, labels), [None if each is None else 0 for each in success])


def _pair(counts: CounterPair, stream: Stream) -> Iterator[Series]:
    """One series for the good or bad requests, and one for all; the latter holds the rest where it takes both."""
    whole = [good + bad for good, bad, _ in _each(stream)]
    parts = [(counts.good, stream.good), (counts.bad, stream.bad)]
    (part, amounts), *more = [(expressions, each) for expressions, each in parts if expressions]
    yield from _expressed(part, amounts, stream)
    for expressions, each in more:
        yield from _expressed(expressions, each, stream)
    if counts.total:
        if _selects(part[0], counts.total[0]):
            raise NotShown(f"{part[0]} and {counts.total[0]} select the same series")
        rest = [every - one for every, one in zip(whole, amounts, strict=True)]
        both = _selects(counts.total[0], part[0])
        yield from _expressed(counts.total, rest if both else whole, stream)


def _expressed(expressions: Sequence[str], amounts: Sequence[int], stream: Stream) -> Iterator[Series]:
    """A series for each of these selectors, the first with the amounts, the others without any."""
    for place, expression in enumerate(expressions):
        if not is_selector(expression):
            raise NotShown(f"no series can be made up for {expression}")
        values = amounts if place == 0 else [0] * len(amounts)
        yield Series(_text(_selector(expression).name or "x", example_labels(expression)), _counted(values, stream))


def _selects(selector: str, other: str) -> bool:
    """Does a selector take the example series of another?"""
    if not (is_selector(selector) and is_selector(other)):
        return False
    mine, labels = _selector(selector), example_labels(other)
    return mine.name == _selector(other).name and all(_takes(each, labels) for each in mine.matchers.matchers)


def _takes(matcher: promql.Matcher, labels: Labels) -> bool:
    value = labels.get(matcher.name, "")
    match matcher.op:
        case promql.MatchOp.Equal:
            return value == matcher.value
        case promql.MatchOp.NotEqual:
            return value != matcher.value
        case promql.MatchOp.Re:
            return re.fullmatch(matcher.value, value) is not None
        case _:
            return re.fullmatch(matcher.value, value) is None


def _each(stream: Stream) -> Iterator[tuple[int, int, bool]]:
    return zip(stream.good, stream.bad, stream.there, strict=True)


def _counted(amounts: Sequence[int], stream: Stream) -> Values:
    """A counter that begins at 0, with a hole where the scrape failed."""
    sums = accumulate(amounts)
    return [0, *(each if there else None for each, there in zip(sums, stream.there, strict=True))]


def example_labels(selector: str) -> Labels:
    """Labels that these matchers take. Raises NotShown where a pattern's example cannot be told."""
    labels: Labels = {}
    for matcher in _selector(selector).matchers.matchers:
        if matcher.op is promql.MatchOp.Equal:
            labels[matcher.name] = matcher.value
        elif matcher.op is promql.MatchOp.Re:
            labels[matcher.name] = _example(matcher.name, matcher.value)
    return labels


def _selector(text: str) -> promql.VectorSelector:
    parsed = promql.parse(text)
    assert isinstance(parsed, promql.VectorSelector), "asked of plain selectors alone"
    return parsed


def _example(name: str, pattern: str) -> str:
    first = re.sub(r"\.[*+]", "x", pattern.split("|")[0].strip("()^$"))
    for candidate in (first.replace(".", "0").replace("\\", ""), first.replace("\\", "")):
        if re.fullmatch(pattern, candidate):
            return candidate
    raise NotShown(f'no example can be told for {name}=~"{pattern}"')


def _text(name: str, labels: Labels) -> str:
    inside = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{name}{{{inside}}}"


def compact(values: Values) -> str:
    """promtool's notation, runs of equal steps written once."""
    words: list[str] = []
    place = 0
    while place < len(values):
        run = _run(values, place)
        words.append(_word(values, place, run))
        place += run + 1
    return " ".join(words)


def _run(values: Values, start: int) -> int:
    """How many values after this one go on with its first step."""
    first, length = values[start], 0
    step = _step(values, start)
    while start + length + 1 < len(values) and _step(values, start + length) == step:
        following = values[start + length + 1]
        if (first is None) != (following is None):
            break
        length += 1
    return length


def _step(values: Values, place: int) -> int | None:
    now, following = values[place], values[place + 1] if place + 1 < len(values) else None
    return None if now is None or following is None else following - now


def _word(values: Values, start: int, run: int) -> str:
    first = values[start]
    if first is None:
        return f"_x{run + 1}" if run else "_"
    return f"{first}{_step(values, start):+d}x{run}" if run else str(first)
