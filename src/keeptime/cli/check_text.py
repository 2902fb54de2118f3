"""What `keeptime check` prints for people: problems, and for each objective what is noticed how fast.

Guarantees: figures are rounded here and nowhere before; what is not known is said to be so.
"""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from keeptime.cli.check_maintenance import line as maintenance_line
from keeptime.cli.question import Question
from keeptime.contract.calendar import usual_seconds
from keeptime.contract.effective import times
from keeptime.contract.load import Document
from keeptime.contract.spoken import asked
from keeptime.contract.terms import Contract, Objective
from keeptime.errors import Problem
from keeptime.judge.design import Design, TierFigures, design
from keeptime.judge.design_figures import AtMost, Burn, Figure, NotKnown, Unnoticed
from keeptime.judge.design_interval import Answer, Impossible, ask
from keeptime.judge.plan import TierReach, reach
from keeptime.judge.reason import noun_of
from keeptime.model.key import DEFAULT_TICK_SECONDS
from keeptime.units import format_duration, format_percent, speak_duration

HEADS = ("alert tier", "severity", "fires at", "total failure noticed in")
MONTHLY = "false alarms a month"


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
        own = noun if objective.each is None else "intervals"
        for line in _objective(objective, question.rate(contract, objective), own, question):
            console.print(line, markup=False)
    console.print()


def _objective(objective: Objective, rate: float, noun: str, question: Question) -> Iterator[str]:
    plain = objective.under is not None and not objective.bounds and objective.at_least is None
    under = f"within {format_duration(objective.under or 0)}" if plain else asked(objective)
    under = "answered rightly" if under == "succeed" else under
    if objective.each is not None:
        under = f"of {noun_of(objective)} have their {objective.each.statistic} {under}"
    promise = f"{format_percent(objective.target)} {under} over {objective.over}"
    yield f"  {objective.name}: {promise}; {_budget(objective, rate, noun)}"
    if objective.internal:
        yield f"    internal, before {objective.warns_of}: operators hear of it, consumers never"
    if objective.per is not None:
        by = " and ".join(each.attribute for each in objective.per.by)
        most = f"{objective.per.most} at most and the rest together"
        yield f"    judged per {by} too, {most}; operators alone hear of that"
    if said := times(objective):
        yield f"    in force {said}"
    found = design(objective, rate, DEFAULT_TICK_SECONDS)
    tiers = reach(objective, rate, DEFAULT_TICK_SECONDS)
    for line in _columns(_table(tiers, found.tiers)):
        yield f"    {line}"
    for tier in tiers:
        if tier.note:
            yield f"    {tier.name}: {tier.note}"
    if not rate:
        yield "    more is known with the rate of requests: --traffic 50/s"
    else:
        yield from _summary(objective, found)
    if question.burn is not None:
        burn, seconds = question.burn
        yield f"    asked          {_answer(objective, rate, burn, seconds)}"


def _budget(objective: Objective, rate: float, noun: str) -> str:
    """The budget in requests; where their rate is not known, as a share."""
    share = float(objective.budget_ratio)
    if not rate:
        return f"{share * 100:.4g}% may be bad"
    bad = share * rate * usual_seconds(objective.over)
    return f"{bad:,.{0 if bad >= 10 else 1}f} bad {noun} allowed"


def _table(tiers: Sequence[TierReach], figures: Sequence[TierFigures]) -> list[tuple[str, ...]]:
    known = len(figures) == len(tiers)
    rows: list[tuple[str, ...]] = [(*HEADS, MONTHLY) if known else HEADS]
    for place, tier in enumerate(tiers):
        seconds = tier.seconds_to_notice_total_failure
        noticed = "never" if seconds is None else speak_duration(seconds)
        row = (tier.name, str(tier.severity), _fires(tier, figures[place] if known else None), noticed)
        rows.append((*row, _monthly(figures[place].false_alarms)) if known else row)
    return rows


def _fires(tier: TierReach, figures: TierFigures | None) -> str:
    if not tier.can_fire:
        return "never"
    share = tier.error_ratio * 100
    threshold = None if figures is None else figures.needs.threshold
    if threshold is None:
        return f"{share:.4g}% bad"
    return f"{threshold:,.{_digits(threshold)}f} bad above {share:.3g}%"


def _digits(value: float) -> int:
    return 0 if value >= 100 else 1


def _monthly(figure: Figure) -> str:
    if isinstance(figure, NotKnown):
        return "not known"
    if figure.value < 0.005:
        return "< 0.01"
    return f"{'≤ ' if isinstance(figure, AtMost) else ''}{figure.value:.2g}"


def _summary(objective: Objective, found: Design) -> Iterator[str]:
    burns = ", ".join(f"{_burn(burn)} in {speak_duration(seconds)}" for seconds, burn in found.smallest_burns)
    yield f"    burn noticed   {burns}"
    share = format_percent(objective.budget_ratio)
    yield f"    false alarms   {_monthly(found.false_alarms)} a month while exactly {share} is bad"
    if not isinstance(found.half_width, NotKnown):
        percent = found.half_width.value * 100
        width = f"±{percent:,.0f} % of the budget" if percent >= 10 else f"±{percent:.2g} % of the budget"
        yield f"    precision      {width} at the end of {objective.over}"


def _burn(burn: Burn) -> str:
    match burn:
        case Unnoticed():
            return "none"
        case NotKnown():
            return "not known"
        case _:
            return f"{burn:.{0 if burn >= 9.95 else 1 if burn >= 1.095 else 2}f}"


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


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines, every column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
