"""`keeptime status` and `keeptime compliance`: what is printed where, and what is asked wrongly."""

import io

import pytest
from rich.console import Console

from keeptime.cli.status import HEADINGS, TABLE_WIDTH, shown
from keeptime.errors import UsageError

from .commands import run

REASON = "2 of 3 intervals of 1m were too slow in the last 3 min; the budget is 14.4"
OBJECTIVE = {
    "name": "p95",
    "promise": "99% of 1m intervals with p95 under 300ms over 1d",
    "condition": "ok",
    "sli": 0.5,
    "budget": {"total": 14.4, "spent": 2, "left": 12.4},
    "forecast": {"miss_chance": 0.93},
    "compliance": {"state": "undecided", "last": {"name": "2026-10", "state": "met"}},
    "reason": REASON,
    "beside": {"disagreement": None},
    "internal": False,
    "segment": None,
    "from": None,
    "until": None,
}
CONTRACT = {
    "contract": "completions",
    "objectives": [OBJECTIVE],
    "together": [{"name": "the-sla", "all": ["p95", "success"], "condition": "ok", "compliance": "undecided"}],
    "told": [
        {"audience": "checkout", "notify_within_seconds": 120.0, "share": 0.995, "in_time": 199, "late": 1}
        | {"compliance": "met"},
        {"audience": "operators", "notify_within_seconds": 120.0, "share": None, "in_time": 0, "late": 0}
        | {"compliance": "undecided"},
    ],
    "traffic": [
        {"kind": "push", "what": "push", "requests": 1234, "results": {}, "problem": None, "at": 1.0},
        {"kind": "scrape", "what": "x", "requests": 0, "results": {}, "problem": "it is gone", "at": None},
    ],
    "other_terms": [OBJECTIVE | {"name": "old", "until": 1_782_856_800}],
}


def printed(width: int) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(shown([CONTRACT], width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_narrow_terminal_is_given_lines_that_can_be_read() -> None:
    lines = printed(80).splitlines()
    assert max(map(len, lines)) <= 80
    assert [each for each in lines if each.endswith(" ")] == []
    assert lines[0].rstrip() == "completions"
    assert "  ok  99% of 1m intervals with p95 under 300ms over 1d" in lines
    figures = "    SLI: 50%, budget left: 12 of 14, miss chance: 93 %, kept: so far undecided; 2026-10 met"
    assert figures in printed(TABLE_WIDTH - 1)
    assert "  ok  the-sla: p95, success" in lines
    told = printed(TABLE_WIDTH - 1)
    assert "  met  keeptime's own: 99% of messages to checkout are taken within 2 min" in told
    assert "    SLI: 99.5%, kept: 1 of 200 late" in told
    assert "operators" not in told
    assert "  comes  traffic by push" in told
    assert "    1,234 requests" in told
    assert "  cannot be had  traffic by scrape: x\n    0 requests\n    it is gone\n" in told
    assert "  not in force  99% of 1m intervals" in printed(80)


def test_that_probes_and_users_disagree_stands_below_the_reason() -> None:
    console = Console(file=io.StringIO(), width=100, highlight=False)
    said = "probes and users disagree about p95"
    console.print(shown([CONTRACT | {"objectives": [OBJECTIVE | {"beside": {"disagreement": said}}]}], 100))
    assert isinstance(console.file, io.StringIO)
    lines = [each.strip() for each in console.file.getvalue().splitlines()]
    assert lines[lines.index(REASON) + 1] == said


def test_a_wide_one_is_given_a_table() -> None:
    headings = [each.strip() for each in printed(TABLE_WIDTH).splitlines()[0].split("┃")]
    assert headings == list(HEADINGS)


@pytest.mark.parametrize("name", ["foo", "", "2026-13", "2026-10-32", "2026-Q5", "2026-W54", "10-2026"])
def test_what_no_period_is_called_is_wrong_usage(name: str) -> None:
    with pytest.raises(UsageError, match="expected a month such as 2026-10"):
        run("compliance", "sentiment", "--period", name)
