"""Which queries can be said, as what, and why others cannot."""

import pytest

from keeptime.contract.importing.measuring import Measured, measure
from keeptime.contract.importing.sums import Unsayable, plus, read, read_ratio
from keeptime.contract.sources import ClassicHistogram, CounterPair, NativeHistogram, Unit

W = "[{{.window}}]"
COUNT = f'sum(rate(m_seconds_count{{job="a"}}{W}))'
BUCKET = f'sum(rate(m_seconds_bucket{{job="a",le="0.4"}}{W}))'
CLASSIC = ClassicHistogram("m_seconds", 'job="a"')


def _measured(good: str, total: str) -> Measured:
    return measure(read(good).sum, read(total).sum)


@pytest.mark.parametrize(
    ("good", "total", "expected"),
    [
        (BUCKET, COUNT, Measured(CLASSIC, 0.4)),
        (f"({BUCKET})", f"(({COUNT}))", Measured(CLASSIC, 0.4)),
        (BUCKET, COUNT.replace("_count{", '_bucket{le="+Inf",'), Measured(CLASSIC, 0.4)),
        ('sum(m_seconds_bucket{le="1"})', "sum(m_seconds_count)", Measured(ClassicHistogram("m_seconds"), 1.0)),
        ('m_seconds_bucket{le=~"1|1\\\\.0"}', "m_seconds_count", Measured(ClassicHistogram("m_seconds"), 1.0)),
        (
            'increase(m_milliseconds_bucket{le="250"}[5m])',
            "increase(m_milliseconds_count[5m])",
            Measured(ClassicHistogram("m_milliseconds", unit=Unit.MILLISECONDS), 0.25),
        ),
        (
            'm_seconds_bucket{le="1",code!~"5.."}',
            "m_seconds_count",
            Measured(ClassicHistogram("m_seconds", failed='code=~"5.."'), 1.0),
        ),
        (
            'm_seconds_bucket{le="1"} - m_seconds_bucket{le="1",code="500"}',
            'm_seconds_count - m_seconds_count{code="500"}',
            Measured(ClassicHistogram("m_seconds", failed='code="500"'), 1.0, "excluded"),
        ),
        (
            f"sum(histogram_fraction(0, 0.2, rate(m_seconds{W})) * histogram_count(rate(m_seconds{W})))",
            f"sum(histogram_count(rate(m_seconds{W})))",
            Measured(NativeHistogram("m_seconds"), 0.2),
        ),
        (f"sum(rate(a{W}))", f"sum(rate(b{W}))", Measured(CounterPair(good=("a",), total=("b",)))),
        (f"sum(rate(b{W})) - sum(rate(a{W}))", f"sum(rate(b{W}))", Measured(CounterPair(bad=("a",), total=("b",)))),
        ("a", "a + c", Measured(CounterPair(good=("a",), total=("a", "c")))),
        ('a{x="q\\"\\\\"}', "b", Measured(CounterPair(good=('a{x="q\\"\\\\"}',), total=("b",)))),
        ("sum(a) or vector(0)", "b", Measured(CounterPair(good=("a",), total=("b",)))),
    ],
)
def test_what_can_be_said(good: str, total: str, expected: Measured) -> None:
    assert _measured(good, total) == expected


@pytest.mark.parametrize(
    ("good", "total", "remark"),
    [
        ('m_bucket{le="1"}', "m_count", "does not say the unit"),
        ('m_seconds_bucket{le="1",a="b",c="d"}', "m_seconds_count", "not selected by the same labels"),
        ('m_seconds_bucket{le="1",job="a"}', 'm_seconds_count{job="b"}', "not selected by the same labels"),
        ('m_seconds_bucket{le="1"}', "other_seconds_count", "not selected by the same labels"),
        ('m_seconds_bucket{le="7200"}', "m_seconds_count", "no threshold that a contract can have"),
        ('m_seconds_bucket{le="0.00000015"}', "m_seconds_count", "no threshold that a contract can have"),
    ],
)
def test_a_pair_that_is_no_histogram_is_counters_and_says_why(good: str, total: str, remark: str) -> None:
    found = _measured(good, total)
    assert isinstance(found.counts, CounterPair)
    assert found.under is None
    assert remark in found.remark


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("avg(a)", "aggregates by 'avg'"),
        ("sum by (code) (a)", "gives many ratios"),
        ("sum(a) without (code)", "gives many ratios"),
        ("sum(a) * 2", "computes with '*'"),
        ("sum(a) / sum(b)", "computes with '/'"),
        ("sum(a + b)", "inside sum"),
        ("sum(a) - on (x) sum(b)", "matches labels"),
        ("sum(irate(a[5m]))", "irate()"),
        ("sum(rate(a[5m:1m]))", "rate of a subquery"),
        ("sum(rate(a[5m] offset 1h))", "offset"),
        ("sum(a @ 5)", "another time"),
        ('a{x="1" or x="2"}', "'or' within the braces"),
        ("a or b", "computes with 'or'"),
        ("-a", "is no sum of rates"),
        ("1", "is no sum of rates"),
        ("sum(rate(a[5m])", "is not valid PromQL"),
        ("", "is not valid PromQL"),
        ("sum(a{x='{{ .service }}'})", "a template other than"),
        ("(" * 150 + "a" + ")" * 150, "is too deep"),
        ("(" * 1500 + "a" + ")" * 1500, "is too deep"),
        ("+".join(["a"] * 500), "is too deep"),
        ("a" * 4001, "at most 4000"),
        ("histogram_quantile(0.9, sum(rate(a_bucket[5m])) by (le))", "histogram_quantile()"),
        ("histogram_fraction(0.1, 0.2, a) * histogram_count(a)", "does not begin at 0"),
        ("histogram_fraction(0, 0.2, a) * histogram_count(b)", "not the one it counts"),
    ],
)
def test_what_cannot_be_said_says_why(query: str, why: str) -> None:
    with pytest.raises(Unsayable) as caught:
        read(query)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("good", "total", "why"),
    [
        ("a", "a", "nothing that could be bad"),
        ("a - a", "b", "nothing that could be good"),
        ("a - b", "c", "two must be plain sums"),
        ("a", "b - c", "two must be plain sums"),
        ("a + a", "b", "two must be plain sums"),
    ],
)
def test_sums_that_no_contract_holds(good: str, total: str, why: str) -> None:
    with pytest.raises(Unsayable, match=why):
        _measured(good, total)


@pytest.mark.parametrize(
    ("query", "inverted"),
    [("sum(rate(a[5m])) / sum(rate(b[5m]))", False), ("1 - (sum(rate(a[5m])) / sum(rate(b[5m])))", True)],
)
def test_a_ratio_is_one_sum_by_another(query: str, inverted: bool) -> None:
    over, under, is_inverted = read_ratio(query)
    assert (over.sum, under.sum, is_inverted) == (read("a").sum, read("b").sum, inverted)


def test_a_native_share_is_a_ratio() -> None:
    over, under, inverted = read_ratio(f"1 - histogram_fraction(0, 0.2, sum(rate(m_seconds{W})))")
    assert inverted
    assert measure(over.sum, under.sum) == Measured(NativeHistogram("m_seconds"), 0.2)


@pytest.mark.parametrize("query", ["sum(a)", "sum(a)/2", "100 * sum(a)/sum(b)", "2 - sum(a)/sum(b)"])
def test_what_is_no_ratio(query: str) -> None:
    with pytest.raises(Unsayable):
        read_ratio(query)


def test_what_cancels_out_is_gone() -> None:
    assert plus(read("a + b").sum, read("b").sum, -1) == read("a").sum


def test_ranges_and_zeros_are_noted() -> None:
    query = read("sum(rate(a[5m])) or vector(0)")
    assert [each.total_seconds() for each in query.ranges] == [300]
    assert query.zero_filled
    assert not query.bare
    assert read("a").bare
    assert not read(f"rate(a{W})").ranges
