"""`keeptime check`: is a contract valid, and what can it detect, how fast?

Exit code 0: every contract is valid (warnings alone are fine); 1: some contract has an error; 2: wrong usage.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from keeptime.contract.load import Document
    from keeptime.contract.terms import Contract, Objective
    from keeptime.errors import Problem
    from keeptime.judge.plan import TierReach

EXAMPLES = """\
examples:
  keeptime check contract.yaml           one contract
  keeptime check contracts/              all *.yaml of a directory
  keeptime check --json contract.yaml    one JSON object on stdout, for scripts

exit codes:
  0  every contract is valid (warnings alone are fine)
  1  some contract has an error
  2  the command was called wrongly
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Validate contracts, and say what each alert tier can detect and how fast."
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("contracts", metavar="CONTRACT", nargs="+", help="a contract file, or a directory of them")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    from keeptime.contract.load import load_files

    checked = [_checked(each) for each in load_files(args.contracts).documents]
    if args.json:
        print(json.dumps({"contracts": [_as_json(each) for each in checked]}, indent=2))
    else:
        _show(checked)
    return 0 if all(each.contract is not None for each in checked) else 1


def _checked(document: "Document") -> "Document":
    """The same document, with the warnings that need the machine and the judge."""
    from keeptime.app.soundness import doubts
    from keeptime.contract.report import in_order
    from keeptime.model.key import DEFAULT_TICK_SECONDS

    found = [*document.problems, *doubts(document, DEFAULT_TICK_SECONDS)]
    return replace(document, problems=in_order(found))


def _reach(contract: "Contract", objective: "Objective") -> "Sequence[TierReach]":
    from keeptime.judge.plan import reach
    from keeptime.model.key import DEFAULT_TICK_SECONDS

    return reach(objective, contract.events_per_second, DEFAULT_TICK_SECONDS)


def _budget_events(contract: "Contract", objective: "Objective") -> float:
    """How many bad requests the objective allows in its window, at the rate of the probes."""
    from keeptime.contract.calendar import usual_seconds

    return float(objective.budget_ratio * Fraction(contract.events_per_second * usual_seconds(objective.over)))


def _as_json(document: "Document") -> dict[str, object]:
    contract = document.contract
    problems = [
        {"line": p.line, "column": p.column, "severity": p.severity, "code": p.code, "message": p.message}
        for p in document.problems
    ]
    objectives = [] if contract is None else [_objective_json(contract, each) for each in contract.objectives]
    return {
        "file": document.file,
        "contract": document.name or None,
        "valid": contract is not None,
        "problems": problems,
        "objectives": objectives,
    }


def _objective_json(contract: "Contract", objective: "Objective") -> dict[str, object]:
    from keeptime.contract.calendar import usual_seconds

    return {
        "name": objective.name,
        "target": float(objective.target),
        "threshold_seconds": objective.under,
        "window_seconds": usual_seconds(objective.over),
        "budget_events": _budget_events(contract, objective) if contract.probes else None,
        "tiers": [asdict(tier) for tier in _reach(contract, objective)],
    }


def _show(checked: "Sequence[Document]") -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for document in checked:
        for problem in document.problems:
            _show_problem(console, problem)
        if document.contract is not None:
            _show_contract(console, document.contract)
    errors = sum(problem.severity == "error" for each in checked for problem in each.problems)
    warnings = sum(problem.severity == "warning" for each in checked for problem in each.problems)
    valid = sum(each.contract is not None for each in checked)
    verdict = f"{valid} of {len(checked)} contracts valid, {_count(errors, 'error')}, {_count(warnings, 'warning')}"
    console.print(verdict, style="red" if errors else "green", markup=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _show_problem(console: "Console", problem: "Problem") -> None:
    from rich.text import Text

    style = "bold red" if problem.severity == "error" else "yellow"
    where = Text(f"{problem.file}:{problem.line}:{problem.column}: ", style="bold")
    console.print(
        where.append(problem.severity, style=style).append(f": {problem.message} [{problem.code}]", "default")
    )


def _show_contract(console: "Console", contract: "Contract") -> None:
    pace = f", {contract.events_per_second:.3g} probes a second" if contract.probes else ""
    console.print(f"\n{contract.name}: {contract.observed}{pace}", markup=False)
    for objective in contract.objectives:
        _show_objective(console, contract, objective)
    console.print()


def _show_objective(console: "Console", contract: "Contract", objective: "Objective") -> None:
    from keeptime.units import format_duration, format_percent

    under = "answered rightly" if objective.under is None else f"within {format_duration(objective.under)}"
    budget = _budget(contract, objective)
    promise = f"{format_percent(objective.target)} {under} over {objective.over}; {budget}"
    console.print(f"\n  {objective.name}: {promise}", markup=False)
    tiers = _reach(contract, objective)
    heads = ("alert tier", "severity", "fires at", "total failure noticed in")
    for line in _columns([heads, *map(_tier_row, tiers)]):
        console.print(f"    {line}", markup=False)
    for tier in tiers:
        if tier.note:
            console.print(f"    {tier.name}: {tier.note}", markup=False)


def _budget(contract: "Contract", objective: "Objective") -> str:
    """The budget in probes; where the rate of requests is not known, as a share."""
    if not contract.probes:
        return f"{float(objective.budget_ratio) * 100:.4g}% may be bad"
    bad = _budget_events(contract, objective)
    return f"{bad:,.{0 if bad >= 10 else 1}f} bad probes allowed"


def _tier_row(tier: "TierReach") -> tuple[str, ...]:
    from keeptime.units import speak_duration

    seconds = tier.seconds_to_notice_total_failure
    fires = f"{tier.error_ratio * 100:.4g}% bad" if tier.can_fire else "never"
    noticed = "never" if seconds is None else speak_duration(seconds)
    return tier.name, str(tier.severity), fires, noticed


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines, every column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
