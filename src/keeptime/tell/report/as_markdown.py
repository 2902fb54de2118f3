"""A report as Markdown.

Guarantees: no text of a contract or a message is taken for markup, nor begins a line of its own.
"""

import re
from collections.abc import Iterator

from keeptime.tell.report import words
from keeptime.tell.report.values import Kept, Report

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~&])")


def render(report: Report) -> bytes:
    return ("\n".join(_lines(report)).rstrip("\n") + "\n").encode("utf-8", "replace")


def _lines(report: Report) -> Iterator[str]:
    yield f"# {plain(words.heading(report))}"
    yield ""
    yield f"**{plain(words.standing(report))}**"
    yield ""
    yield from _table(words.facts(report))
    for each in report.objectives:
        yield from _objective(each)
    if report.together:
        yield from ("## Held together", "")
        yield from (f"- {plain(words.together(each))}" for each in report.together)
        yield ""
    yield f"Ledger head: `{report.head}`"


def _objective(one: Kept) -> Iterator[str]:
    yield from (f"## {plain(one.name)}", "", plain(one.promise), "", f"**{plain(words.verdict(one))}**", "")
    yield from _table(words.rows(one))
    yield from (f"Day by day: {words.worst(one)}.", "")
    if one.left_out:
        yield from ("### Left out", "")
        yield from (f"- {plain(words.left_out(each))}" for each in one.left_out)
        yield ""
    yield from ("### Incidents", "")
    if not one.incidents:
        yield from ("None.", "")
    for incident in one.incidents:
        yield f"- {plain(words.incident(incident))}"
        for told in incident.told:
            yield f"  - {plain(words.told(told))}"
            yield from (f"    - {plain(words.sent(each))}" for each in told.sent)
    if one.incidents:
        yield ""


def _table(rows: Iterator[tuple[str, str]]) -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    yield from (f"| {name} | {plain(value)} |" for name, value in rows)
    yield ""


def plain(text: str) -> str:
    """The text in one line, with what would be markup escaped."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
