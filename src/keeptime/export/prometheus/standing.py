"""How an objective stands: the judge's table as rules that read their own last value.

Guarantees: the same table as `keeptime.judge.standing`. Only an evaluation with good requests within the target
lets a standing improve; silence is a standing of its own; a restart of Prometheus forgets nothing.
"""

from collections.abc import Iterator
from fractions import Fraction

from keeptime.export.prometheus.names import (
    BAD,
    BAD_NOW,
    BUDGET_LEFT,
    BURN,
    DEMAND,
    EXPECTED,
    LONGEST_DOWN,
    OBSERVED_NOW,
    QUIET,
    REQUESTS,
    REQUESTS_NOW,
    SLI,
    STANDING,
    TARGET,
    TIER,
    Chosen,
)
from keeptime.export.prometheus.rules import Recording
from keeptime.export.prometheus.windows import over
from keeptime.judge.standing import Standing


def demand(chosen: Chosen, own: str, budget: Fraction) -> Iterator[Recording]:
    """The worst that the tiers ask for, and broken where the objective's own window (`own`) is."""
    broken = over(chosen, own, budget.numerator, budget.denominator)
    tiers = f"max without (tier, severity) ({chosen.of(TIER)})"
    yield Recording(DEMAND, f"(({broken}) * 0 + {int(Standing.BROKEN)})\nor {tiers}")


def standing(chosen: Chosen, budget: Fraction, silence: int) -> Iterator[Recording]:
    """How long it was silent, and how each objective stands. `silence`: seconds until no_data."""
    requests, bad = chosen.of(REQUESTS_NOW), chosen.of(BAD_NOW)
    quiet = f"(last_over_time({chosen.of(QUIET)}[{LONGEST_DOWN}]) or 0 * {requests})"
    yield Recording(QUIET, f"({quiet} + {chosen.of(OBSERVED_NOW)}) * ({requests} == bool 0)")
    wanted = chosen.of(DEMAND)
    before = f"(last_over_time({chosen.of(STANDING)}[{LONGEST_DOWN}]) or 0 * {requests})"
    keeps = f"({requests} > {bad}) and ({bad} * {budget.denominator} <= {requests} * {budget.numerator})"
    yield Recording(
        STANDING,
        f"(({chosen.of(QUIET)} >= {silence}) * 0 + {int(Standing.NO_DATA)})\n"
        f"or ({wanted} and ({keeps}))\n"
        f"or ({wanted} > {before})\n"
        f"or {before}",
    )


def figures(chosen: Chosen, own: str, windows: tuple[str, ...], budget: Fraction) -> Iterator[Recording]:
    """For people and dashboards; nothing is decided from them. Absent for a window without requests."""
    ratio = float(budget)
    yield Recording(TARGET, f"0 * {chosen.of(REQUESTS_NOW)} + {float(1 - budget)!r}")
    bad, requests = chosen.of(BAD, own), chosen.of(REQUESTS, own)
    yield Recording(SLI, f"1 - {bad} / ({requests} > 0)")
    yield Recording(BUDGET_LEFT, f"1 - {bad} / ({chosen.of(EXPECTED, own)} > 0) / {ratio!r}")
    for window in windows:
        yield Recording(
            BURN, f"{chosen.of(BAD, window)} / ({chosen.of(REQUESTS, window)} > 0) / {ratio!r}", {"window": window}
        )
