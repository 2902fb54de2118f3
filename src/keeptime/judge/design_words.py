"""What an objective's policy can and cannot notice, in words: for `keeptime check` and for a contract's page.

Guarantees: figures are rounded here and nowhere before; what is not known is said to be so. Pure; knows neither
terminals nor HTML.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from keeptime.contract.calendar import usual_seconds
from keeptime.contract.effective import times
from keeptime.contract.spoken import asked
from keeptime.contract.terms import Contract, Objective
from keeptime.judge.design import Design, TierFigures, design
from keeptime.judge.design_figures import AtMost, Burn, Figure, NotKnown, Unnoticed
from keeptime.judge.plan import TierReach, reach
from keeptime.judge.reason import noun_of
from keeptime.model.key import Signal
from keeptime.units import format_duration, format_percent, speak_duration

HEADS = ("alert tier", "severity", "fires at", "total failure noticed in")
MONTHLY = "false alarms a month"


@dataclass(frozen=True, slots=True)
class Detects:
    """`promise`: with its budget; `asides`: what else holds of it. `tiers`: a row each below `heads`; `notes`: what
    a tier cannot. `summary`: pairs of what and how much; empty where the rate of events is not known.
    """

    name: str
    promise: str
    asides: tuple[str, ...]
    heads: tuple[str, ...]
    tiers: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    summary: tuple[tuple[str, str], ...]


def rate_of(contract: Contract, objective: Objective | None = None, traffic: float | None = None) -> float:
    """Events per second, of this objective if one is given; 0: not known. `traffic`: requests a second in place of
    the contract's probes."""
    if objective is not None:
        gaps = objective.of is Signal.INTER_TOKEN and objective.each is None and traffic is None
        return 0.0 if gaps else contract.slots(objective, traffic)
    return contract.events_per_second if traffic is None else traffic


def detects(objective: Objective, rate: float, noun: str, tick_seconds: float) -> Detects:
    """At this rate of events. `noun`: what is counted, "probes" or "requests"."""
    own = noun if objective.each is None else "intervals"
    found, tiers = design(objective, rate, tick_seconds), reach(objective, rate, tick_seconds)
    known = len(found.tiers) == len(tiers)
    return Detects(
        name=objective.name,
        promise=f"{_promised(objective)}; {_budget(objective, rate, own)}",
        asides=tuple(_asides(objective)),
        heads=(*HEADS, MONTHLY) if known else HEADS,
        tiers=tuple(_tier(tier, found.tiers[place] if known else None) for place, tier in enumerate(tiers)),
        notes=tuple(f"{tier.name}: {tier.note}" for tier in tiers if tier.note),
        summary=tuple(_summary(objective, found)) if rate else (),
    )


def _promised(objective: Objective) -> str:
    plain = objective.under is not None and not objective.bounds and objective.at_least is None
    under = f"within {format_duration(objective.under or 0)}" if plain else asked(objective)
    under = "answered rightly" if under == "succeed" else under
    if objective.each is not None:
        under = f"of {noun_of(objective)} have their {objective.each.statistic} {under}"
    return f"{format_percent(objective.target)} {under} over {objective.over}"


def _asides(objective: Objective) -> Iterator[str]:
    if objective.internal:
        yield f"internal, before {objective.warns_of}: operators hear of it, consumers never"
    if objective.per is not None:
        by = " and ".join(each.attribute for each in objective.per.by)
        most = f"{objective.per.most} at most and the rest together"
        yield f"judged per {by} too, {most}; operators alone hear of that"
    if said := times(objective):
        yield f"in force {said}"


def _budget(objective: Objective, rate: float, noun: str) -> str:
    """The budget in requests; where their rate is not known, as a share."""
    share = float(objective.budget_ratio)
    if not rate:
        return f"{share * 100:.4g}% may be bad"
    bad = share * rate * usual_seconds(objective.over)
    return f"{bad:,.{0 if bad >= 10 else 1}f} bad {noun} allowed"


def _tier(tier: TierReach, figures: TierFigures | None) -> tuple[str, ...]:
    seconds = tier.seconds_to_notice_total_failure
    noticed = "never" if seconds is None else speak_duration(seconds)
    row = (tier.name, str(tier.severity), _fires(tier, figures), noticed)
    return row if figures is None else (*row, _monthly(figures.false_alarms))


def _fires(tier: TierReach, figures: TierFigures | None) -> str:
    if not tier.can_fire:
        return "never"
    share = tier.error_ratio * 100
    threshold = None if figures is None else figures.needs.threshold
    if threshold is None:
        return f"{share:.4g}% bad"
    return f"{threshold:,.{0 if threshold >= 100 else 1}f} bad above {share:.3g}%"


def _monthly(figure: Figure) -> str:
    if isinstance(figure, NotKnown):
        return "not known"
    if figure.value < 0.005:
        return "< 0.01"
    return f"{'≤ ' if isinstance(figure, AtMost) else ''}{figure.value:.2g}"


def _summary(objective: Objective, found: Design) -> Iterator[tuple[str, str]]:
    burns = (f"{_burn(burn)} in {speak_duration(seconds)}" for seconds, burn in found.smallest_burns)
    yield "burn noticed", ", ".join(burns)
    share = format_percent(objective.budget_ratio)
    yield "false alarms", f"{_monthly(found.false_alarms)} a month while exactly {share} is bad"
    if not isinstance(found.half_width, NotKnown):
        percent = found.half_width.value * 100
        width = f"±{percent:,.0f} % of the budget" if percent >= 10 else f"±{percent:.2g} % of the budget"
        yield "precision", f"{width} at the end of {objective.over}"


def _burn(burn: Burn) -> str:
    match burn:
        case Unnoticed():
            return "none"
        case NotKnown():
            return "not known"
        case _:
            return f"{burn:.{0 if burn >= 9.95 else 1 if burn >= 1.095 else 2}f}"
