"""The live table of `keeptime run` in a terminal: every objective's condition and budget, once a second."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from keeptime.app.view import ContractView, Snapshot
from keeptime.contract.terms import Objective
from keeptime.judge.reason import promise
from keeptime.model.verdict import Condition, Verdict

STYLE = {
    Condition.OK: ("●", "green"),
    Condition.AT_RISK: ("▲", "yellow"),
    Condition.BROKEN: ("✖", "bold red"),
    Condition.NO_DATA: ("?", "magenta"),
}
"""A sign and a colour per condition; the colour is never the only sign."""


WIDE = 140
"""Columns of a terminal from which on every figure has a column of its own."""

NARROW = ("condition", "SLI", "budget left", "promise, and why")


class Shown(Protocol):
    """What has snapshots."""

    def snapshot(self) -> Snapshot: ...


@contextmanager
def show(daemon: Shown, url: str) -> Iterator[None]:
    """Show the daemon's snapshots until the block ends."""
    console = Console(stderr=True)

    def drawn() -> Table:
        return table(daemon.snapshot(), url, wide=console.width >= WIDE)

    with Live(get_renderable=drawn, console=console, refresh_per_second=1, screen=False):
        yield


def table(snapshot: Snapshot, url: str, *, wide: bool = True) -> Table:
    """One row per objective; where it is not wide, promise and reason share a column."""
    waiting = sum(each.waiting for each in snapshot.deliveries)
    caption = f"{url}  ·  {waiting} message{'' if waiting == 1 else 's'} waiting  ·  Ctrl-C ends"
    troubles = [*snapshot.health.problems, *([snapshot.reload_error] if snapshot.reload_error else [])]
    below = Text("\n".join([*troubles, caption]))
    out = Table(title="keeptime", caption=below, title_justify="left", expand=True)
    headings = ("contract", "promise", "condition", "SLI", "burn", "budget left", "why") if wide else NARROW
    for heading in headings:
        out.add_column(heading, overflow="fold", ratio=3 if heading == headings[-1] else None)
    for view in snapshot.contracts:
        for objective, verdict in zip(view.contract.objectives, view.verdicts, strict=True):
            row = _row(view, objective, verdict)
            out.add_row(*(row if wide else _narrow(row)))
    return out


def _narrow(row: list[Text]) -> tuple[Text, ...]:
    contract, promised, condition, sli, _, left, why = row
    return condition, sli, left, Text("\n").join((Text(": ").join((contract, promised)), why))


def _row(view: ContractView, objective: Objective, verdict: Verdict | None) -> list[Text]:
    named = [Text(view.contract.name), Text(promise(objective))]
    if verdict is None:
        return [*named, Text("… first tick", "dim"), *map(Text, ("", "", "", ""))]
    sign, style = STYLE[verdict.condition]
    budget = verdict.budget
    return [
        *named,
        Text(f"{sign} {verdict.condition}", style),
        Text("no data" if verdict.sli is None else f"{verdict.sli * 100:.4g}%"),
        Text("–" if verdict.burn_rate is None else f"{verdict.burn_rate:.1f}×"),
        Text(f"{budget.left:,.0f} of {budget.total:,.0f}"),
        Text(verdict.reason),
    ]
