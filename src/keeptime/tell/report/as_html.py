"""A report as one HTML file: printable, for a narrow screen too, dark and light.

Guarantees: it fetches nothing and runs nothing; every text is escaped.
"""

from fractions import Fraction

from jinja2 import Environment, PackageLoader, StrictUndefined

from keeptime.tell.report import words
from keeptime.tell.report.values import Report

HIGH, WIDE, GAP = 48, 14, 4
"""A full bar, a day with its gap, and the gap, in units of the picture."""


def render(report: Report) -> bytes:
    return _PAGE.render(report=report, words=words, drawn=_drawn, wide=WIDE, gap=GAP, high=HIGH).encode(
        "utf-8", "replace"
    )


def _drawn(height: Fraction) -> str:
    return f"{float(height) * HIGH:.1f}"


_PAGE = Environment(
    loader=PackageLoader("keeptime.tell.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
).get_template("report.html")
