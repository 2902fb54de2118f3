"""From a PromQL query that counts events to the series whose sums and differences it is.

Guarantees: what is returned means the same as the query, for any range; a query that is anything else is Unsayable,
with a sentence that says why. It recurses no deeper than DEEPEST. Knows nothing of files, units or objectives.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

import promql_parser as promql

from keeptime.contract.prometheus import LONGEST_PROMQL

DEEPEST = 60
"""Expressions within each other."""

_WINDOW = re.compile(r"\{\{-?\s*\.?window\s*-?\}\}")
_PLACEHOLDER = timedelta(seconds=31_557_599)
_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


class Unsayable(Exception):
    """A query that no contract can hold; the text completes "the query …". Never leaves keeptime.contract."""


class Form(StrEnum):
    """What of a series is counted: its value, a native histogram's count, or its events up to a bound."""

    PLAIN = "plain"
    COUNT = "count"
    UP_TO = "up to"


Matcher = tuple[str, str, str]
"""A label's name, an operator and a value, such as ("code", "=~", "5..")."""


@dataclass(frozen=True, slots=True)
class Series:
    """Cumulative series. `matchers` are sorted; `bound` is of UP_TO, in the metric's unit."""

    metric: str
    matchers: tuple[Matcher, ...]
    form: Form = Form.PLAIN
    bound: float = 0.0

    @property
    def selector(self) -> str:
        return f"{self.metric}{{{matchers_text(self.matchers)}}}" if self.matchers else self.metric

    @property
    def text(self) -> str:
        """An expression of the counter itself. A bound has none: only a histogram's objective can say it."""
        if self.form is Form.UP_TO:
            raise Unsayable("takes a share of a native histogram that is not the one it counts")
        return f"histogram_count({self.selector})" if self.form is Form.COUNT else self.selector


Sum = Mapping[Series, int]
"""How often each of the series is added (above 0) or taken away (below 0)."""


@dataclass(slots=True)
class Query:
    """A query as a sum. `ranges`: ranges written out in it; `zero_filled`: it says 0 where series are missing;
    `bare`: it takes a series as it is, without rate() or increase().
    """

    sum: Sum = field(default_factory=dict)
    ranges: set[timedelta] = field(default_factory=set)
    zero_filled: bool = False
    bare: bool = False


def matchers_text(matchers: tuple[Matcher, ...]) -> str:
    return ",".join(f'{_label(name)}{op}"{_escaped(value)}"' for name, op, value in matchers)


def _label(name: str) -> str:
    return name if re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) else f'"{_escaped(name)}"'


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def plus(left: Sum, right: Sum, sign: int = 1) -> Sum:
    """left + sign · right, without what cancels out."""
    out = Counter(left)
    for series, count in right.items():
        out[series] += sign * count
    return {series: count for series, count in out.items() if count}


def parsed(text: str) -> promql.Expr:
    """A query with `{{.window}}` for its ranges. Raises Unsayable."""
    if len(text) > LONGEST_PROMQL:
        raise Unsayable(f"has {len(text)} characters; at most {LONGEST_PROMQL} are read")
    if max(text.count("("), text.count("{"), text.count("-")) > 200:
        raise Unsayable("is too deep to be read")
    whole = _WINDOW.sub(f"{_PLACEHOLDER.seconds + _PLACEHOLDER.days * 86_400}s", text)
    if "{{" in whole:
        raise Unsayable("holds a template other than {{.window}}; write out what it becomes")
    try:
        return promql.parse(whole)
    except ValueError as error:
        raise Unsayable(f"is not valid PromQL: {str(error).splitlines()[0]}") from None


def read(text: str) -> Query:
    """The sum that a query is. Raises Unsayable."""
    query = Query()
    query.sum = _Reader(query).sum_of(parsed(text), 0, summed=False)
    return query


def read_ratio(text: str) -> tuple[Query, Query, bool]:
    """Numerator, denominator, and whether the query is 1 minus their ratio. Raises Unsayable."""
    expr = _bare(parsed(text))
    inverted = False
    if isinstance(expr, promql.BinaryExpr) and str(expr.op) == "-" and _number(expr.lhs) == 1:
        inverted, expr = True, _bare(expr.rhs)
    over, under = Query(), Query()
    if isinstance(expr, promql.Call) and expr.func.name == "histogram_fraction":
        count = _Reader(under).counted(expr.args[2], 0)
        over.sum = {Series(count.metric, count.matchers, Form.UP_TO, _bound(expr)): 1}
        over.ranges, under.sum = under.ranges, {count: 1}
        return over, under, inverted
    if not (isinstance(expr, promql.BinaryExpr) and str(expr.op) == "/"):
        raise Unsayable("is no division of two sums of rates")
    _no_matching(expr)
    over.sum = _Reader(over).sum_of(expr.lhs, 0, summed=False)
    under.sum = _Reader(under).sum_of(expr.rhs, 0, summed=False)
    return over, under, inverted


def selected(text: str) -> Series:
    """The series that a plain selector selects. Raises Unsayable."""
    expr = parsed(text)
    if not isinstance(expr, promql.VectorSelector):
        raise Unsayable('is no plain selector such as http_requests_total{job="api"}')
    return _series(expr)


def _bare(expr: promql.Expr) -> promql.Expr:
    while isinstance(expr, promql.ParenExpr):
        expr = expr.expr
    return expr


def _number(expr: promql.Expr) -> float | None:
    expr = _bare(expr)
    return expr.val if isinstance(expr, promql.NumberLiteral) else None


def _no_matching(expr: promql.BinaryExpr) -> None:
    modifier = expr.modifier
    if modifier is not None and (modifier.matching is not None or modifier.group_labels or modifier.return_bool):
        raise Unsayable(f"matches labels across '{expr.op}'; expected one sum on each side")


def _bound(call: promql.Call) -> float:
    low, high = _number(call.args[0]), _number(call.args[1])
    if low is None or high is None or low > 0:
        raise Unsayable("takes a share of a native histogram that does not begin at 0")
    return high


def _series(selector: promql.VectorSelector) -> Series:
    if selector.offset is not None or selector.at is not None:
        raise Unsayable("looks at another time by 'offset' or '@'")
    if selector.matchers.or_matchers:
        raise Unsayable("selects series by 'or' within the braces")
    found = ((each.name, _OPERATORS[str(each.op)], each.value) for each in selector.matchers.matchers)
    return Series(selector.name or "", tuple(sorted(found)))


class _Reader:
    """Walks one query; notes in it what is left out."""

    def __init__(self, query: Query) -> None:
        self._query = query

    def sum_of(self, expr: promql.Expr, depth: int, *, summed: bool) -> Sum:
        """`summed`: within sum(…), where vectors are not yet one number."""
        if depth > DEEPEST:
            raise Unsayable("is too deep to be read")
        match expr:
            case promql.ParenExpr():
                return self.sum_of(expr.expr, depth + 1, summed=summed)
            case promql.AggregateExpr():
                return self._aggregate(expr, depth)
            case promql.BinaryExpr():
                return self._binary(expr, depth, summed)
            case promql.Call() | promql.VectorSelector():
                return {self._counter(expr, depth): 1}
        raise Unsayable("is no sum of rates such as sum(rate(http_requests_total[5m]))")

    def _aggregate(self, expr: promql.AggregateExpr, depth: int) -> Sum:
        if str(expr.op) != "sum":
            raise Unsayable(f"aggregates by '{expr.op}'; only sums of events can be counted")
        if expr.modifier is not None and (expr.modifier.labels or "without" in str(expr.modifier)):
            raise Unsayable(f"gives many ratios ({expr.modifier}); write one objective for each")
        return self.sum_of(expr.expr, depth + 1, summed=True)

    def _binary(self, expr: promql.BinaryExpr, depth: int, summed: bool) -> Sum:
        op = str(expr.op)
        if op == "or" and _is_zero(expr.rhs):
            self._query.zero_filled = True
            return self.sum_of(expr.lhs, depth + 1, summed=summed)
        if op == "or" and (share := self._filled_share(expr, depth)) is not None:
            return {share: 1}
        _no_matching(expr)
        if op == "*":
            return {self._share(expr, depth): 1}
        if op not in ("+", "-") or summed:
            inside = " inside sum(…)" if summed else ""
            raise Unsayable(f"computes with '{op}'{inside}; only sums and differences of sums can be counted")
        left = self.sum_of(expr.lhs, depth + 1, summed=False)
        return plus(left, self.sum_of(expr.rhs, depth + 1, summed=False), 1 if op == "+" else -1)

    def _filled_share(self, expr: promql.BinaryExpr, depth: int) -> Series | None:
        """(share >= 0) or histogram_count(H): an empty histogram has no share, and counts 0."""
        left = _bare(expr.lhs)
        if not (isinstance(left, promql.BinaryExpr) and str(left.op) == ">=" and _number(left.rhs) == 0):
            return None
        product = _bare(left.lhs)
        if not (isinstance(product, promql.BinaryExpr) and str(product.op) == "*"):
            return None
        share = self._share(product, depth + 1)
        same = Series(share.metric, share.matchers, Form.COUNT)
        return share if self._counter(expr.rhs, depth + 1) == same else None

    def _share(self, expr: promql.BinaryExpr, depth: int) -> Series:
        """histogram_fraction(0, bound, H) * histogram_count(H), in either order."""
        sides = [_bare(expr.lhs), _bare(expr.rhs)]
        shares = [
            each for each in sides if isinstance(each, promql.Call) and each.func.name == "histogram_fraction"
        ]
        if len(shares) != 1:
            raise Unsayable("computes with '*'; only sums and differences of sums can be counted")
        (share,) = shares
        histogram = self.counted(share.args[2], depth + 1)
        if self._counter(sides[1 - sides.index(share)], depth + 1) != histogram:
            raise Unsayable("takes a share of a native histogram that is not the one it counts")
        return Series(histogram.metric, histogram.matchers, Form.UP_TO, _bound(share))

    def counted(self, expr: promql.Expr, depth: int) -> Series:
        """What histogram_count() of this counts."""
        found = self.sum_of(expr, depth + 1, summed=False)
        (series,) = found if len(found) == 1 else (None,)
        if series is None or series.form is not Form.PLAIN:
            raise Unsayable("counts no single native histogram")
        return Series(series.metric, series.matchers, Form.COUNT)

    def _counter(self, expr: promql.Expr, depth: int) -> Series:
        match expr:
            case promql.ParenExpr():
                return self._counter(expr.expr, depth + 1)
            case promql.VectorSelector():
                self._query.bare = True
                return _series(expr)
            case promql.Call() if expr.func.name == "histogram_count":
                return self.counted(expr.args[0], depth)
            case promql.Call() if expr.func.name in ("rate", "increase"):
                return self._ranged(expr.args[0])
            case promql.Call():
                raise Unsayable(f"calls {expr.func.name}(); only rate() and increase() of counters can be counted")
        raise Unsayable("is no rate of a counter")

    def _ranged(self, expr: promql.Expr) -> Series:
        if not isinstance(expr, promql.MatrixSelector):
            raise Unsayable("takes the rate of a subquery")
        if expr.range != _PLACEHOLDER:
            self._query.ranges.add(expr.range)
        return _series(expr.vector_selector)


def _is_zero(expr: promql.Expr) -> bool:
    expr = _bare(expr)
    if isinstance(expr, promql.Call) and expr.func.name == "vector":
        return _number(expr.args[0]) == 0
    return False
