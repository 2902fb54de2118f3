"""What `keeptime check` prints for people: problems, and for each objective what is noticed how fast.

Guarantees: figures are rounded here and nowhere before; what is not known is said to be so.
"""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from keeptime.cli.check_maintenance import line as maintenance_line
from keeptime.cli.question import Question
from keeptime.contract.load import Document
from keeptime.contract.terms import Contract, Objective
from keeptime.errors import Problem
from keeptime.judge.design_figures import NotKnown, Unnoticed
from keeptime.judge.design_interval import Answer, Impossible, ask
from keeptime.judge.design_words import detects
from keeptime.model.key import DEFAULT_TICK_SECONDS
from keeptime.units import speak_duration


def show(checked: Sequence[Document], question: Question, now_ns: int) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for document in checked:
        for problem in document.problems:
            _show_problem(console, problem)
        if document.contract is not None:
            _show_contract(console, document.contract, question, now_ns)
    errors = sum(problem.severity == "error" for each in checked for problem in each.problems)
    warnings = sum(problem.severity == "warning" for each in checked for problem in each.problems)
    valid = sum(each.contract is not None for each in checked)
    verdict = f"{valid} of {len(checked)} contracts valid, {_count(errors, 'error')}, {_count(warnings, 'warning')}"
    console.print(verdict, style="red" if errors else "green", markup=False)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _show_problem(console: Console, problem: Problem) -> None:
    style = "bold red" if problem.severity == "error" else "yellow"
    where = Text(f"{problem.file}:{problem.line}:{problem.column}: ", style="bold")
    console.print(
        where.append(problem.severity, style=style).append(f": {problem.message} [{problem.code}]", "default")
    )


def _show_contract(console: Console, contract: Contract, question: Question, now_ns: int) -> None:
    noun = "probes" if question.traffic is None else "requests"
    rate = question.rate(contract)
    pace = f", {rate:.3g} {noun.removesuffix('s') if rate == 1 else noun} a second" if rate else ""
    console.print(f"\n{contract.name}: {contract.observed}{pace}", markup=False)
    for window in contract.maintenance:
        console.print(f"  {maintenance_line(window, now_ns)}", markup=False)
    for objective in contract.objectives:
        console.print()
        for line in _objective(objective, question.rate(contract, objective), noun, question):
            console.print(line, markup=False)
    console.print()


def _objective(objective: Objective, rate: float, noun: str, question: Question) -> Iterator[str]:
    found = detects(objective, rate, noun, DEFAULT_TICK_SECONDS)
    yield f"  {found.name}: {found.promise}"
    for line in (*found.asides, *_columns([found.heads, *found.tiers]), *found.notes):
        yield f"    {line}"
    if not rate:
        yield "    more is known with the rate of requests: --traffic 50/s"
    for what, said in found.summary:
        yield f"    {what:<15}{said}"
    if question.burn is not None:
        burn, seconds = question.burn
        yield f"    asked          {_answer(objective, rate, burn, seconds)}"


def _answer(objective: Objective, rate: float, burn: float, seconds: float) -> str:
    found = ask(objective, rate, DEFAULT_TICK_SECONDS, burn, seconds)
    if isinstance(found, Impossible):
        return f"a burn of {burn:g} cannot be: total failure is one of {found.total:.4g}"
    said = "; ".join(filter(None, (_noticed(found), _interval(found))))
    return f"a burn of {burn:g} in {speak_duration(seconds)}: {said}"


def _noticed(found: Answer) -> str:
    """The chance, which is not rounded up to certainty."""
    if isinstance(found.chance, NotKnown):
        return ""
    return f"noticed with a chance of {min(99.9, found.chance * 100):.3g} %"


def _interval(found: Answer) -> str:
    match found.longest_interval:
        case Unnoticed():
            return "no probe is often enough"
        case NotKnown(why):
            return why
        case longest:
            return f"a probe every {speak_duration(longest)} or oftener is enough"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines, every column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
