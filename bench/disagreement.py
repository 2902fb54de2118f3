"""How often are probes and users said to disagree where they do not, and how soon is it seen where they do?

Simulated hours of a promise of 99 %, minute by minute: a probe each 10 s, and users. Where both meet the same model
(requests bad by themselves, or all of them in bursts) every report is false; where the model is bad for users or
for the probe alone, the time to the report is what counts. keeptime's rule is the judge's own
(`keeptime.judge.beside`). Beside it are the rules that one would write first: one of the two misses the target and
the other does not; 95 % intervals that do not overlap. Each must hold for five minutes running.
"""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from keeptime.app.beside import MINUTES, SUSTAINED
from keeptime.judge.beside import TIMES, worse
from keeptime.model.beside import Sides

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

BUDGET = Fraction(1, 100)
PROBES = 6
"""A minute."""
DAY = 1440
BURST = 0.5
"""The share that is bad in a burst."""
MOST_FALSE = 0.01
"""False reports an objective and day, at most: one in a hundred days."""


@dataclass(frozen=True)
class Case:
    """`users`: a minute. `probe_bad`, `users_bad`: on average; `burst`: minutes that bad times last, in which both
    are bad together (0: each request by itself)."""

    name: str
    users: int
    probe_bad: float
    users_bad: float
    burst: float = 0.0


SAME = (
    *(
        Case(f"{bad:.1%} bad, {users:,} a minute", users, bad, bad)
        for users in (5, 500)
        for bad in (0.002, 0.01, 0.03)
    ),
    Case("1% bad, 50,000 a minute", 50_000, 0.01, 0.01),
    Case("1% bad in bursts of 2 min, 500 a minute", 500, 0.01, 0.01, 2.0),
    Case("1% bad in bursts of 20 min, 500 a minute", 500, 0.01, 0.01, 20.0),
    Case("3% bad in bursts of 20 min, 5 a minute", 5, 0.03, 0.03, 20.0),
)
OTHER = (
    Case("users 2% bad, probe never", 500, 0.0, 0.02),
    Case("users 5% bad, probe never", 500, 0.0, 0.05),
    Case("users 30% bad, probe never", 500, 0.0, 0.3),
    Case("users 30% bad, 5 a minute", 5, 0.0, 0.3),
    Case("probe 5% bad, users never", 500, 0.05, 0.0),
)


@dataclass(frozen=True)
class Row:
    """`reports`: a day, of what is the same. `seen`: the share of times that it was seen, and the median minutes
    until then."""

    case: str
    rule: str
    reports: float = 0.0
    seen: float = 0.0
    minutes: float = 0.0


def drawn(case: Case, days: int, minutes: int, rng: np.random.Generator, *, begins: int = 0) -> tuple[Ints, Ints]:
    """Bad probes and bad requests [days × minutes]; before `begins` nothing is bad."""
    level = np.ones((days, minutes))
    if case.burst:
        level = _bursts(case, days, minutes, rng) * BURST / case.users_bad
    level[:, :begins] = 0
    probes = rng.binomial(PROBES, np.minimum(1, case.probe_bad * level))
    users = rng.binomial(case.users, np.minimum(1, case.users_bad * level))
    return probes, users


def _bursts(case: Case, days: int, minutes: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """1 where it is bad: times that last so long on average, so seldom that the average is right."""
    share = case.users_bad / BURST
    ends, starts = 1 / case.burst, share / (1 - share) / case.burst
    on, out = rng.random(days) < share, np.zeros((days, minutes))
    for minute in range(minutes):
        chance = rng.random(days)
        on = np.where(on, chance >= ends, chance < starts)
        out[:, minute] = on
    return out


def hours(counts: Ints) -> Ints:
    """Sums of the last hour."""
    total = np.cumsum(counts, axis=1)
    total[:, MINUTES:] -= total[:, :-MINUTES].copy()
    return total


def keeptime(probe: Ints, probes: Ints, user: Ints, users: Ints) -> Flags:
    """The judge is asked only where the shares let it say anything."""
    high = np.maximum(probe * users, user * probes)
    low = np.minimum(probe * users, user * probes)
    asked = (high >= TIMES * low) & (high > float(BUDGET) * probes * users)
    found = np.zeros(probe.shape, dtype=np.bool_)
    for place in zip(*np.nonzero(asked), strict=True):
        p, ps, u, us = (int(each[place]) for each in (probe, probes, user, users))
        found[place] = worse(Sides(ps - p, p, us - u, u), BUDGET) is not None
    return found


def across(probe: Ints, probes: Ints, user: Ints, users: Ints) -> Flags:
    """One misses the target, the other does not."""
    missed: Flags = (probe > float(BUDGET) * probes) != (user > float(BUDGET) * users)
    return missed


def apart(probe: Ints, probes: Ints, user: Ints, users: Ints) -> Flags:
    """95 % intervals do not overlap, and one misses the target."""
    (low, high), (other_low, other_high) = _interval(probe, probes), _interval(user, users)
    found: Flags = ((low > other_high) | (other_low > high)) & across(probe, probes, user, users)
    return found


def _interval(bad: Ints, events: Ints) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    with np.errstate(all="ignore"):
        low = np.where(bad > 0, betaincinv(bad, events - bad + 1, 0.025), 0.0)
        high = np.where(bad < events, betaincinv(bad + 1, events - bad, 0.975), 1.0)
    return low, high


RULES: dict[str, Callable[[Ints, Ints, Ints, Ints], Flags]] = {
    "keeptime": keeptime,
    "intervals apart": apart,
    "across the target": across,
}


def begun(flags: Flags) -> Flags:
    """Where a disagreement begins: after so many minutes running, and over after so many without."""
    out = np.zeros(flags.shape, dtype=np.bool_)
    lasts, before = np.zeros(len(flags), dtype=np.bool_), np.zeros(len(flags), dtype=np.bool_)
    runs = np.zeros(len(flags), dtype=np.int64)
    for minute in range(flags.shape[1]):
        now = flags[:, minute]
        runs = np.where(now == before, runs + 1, 1)
        turned = (runs >= SUSTAINED) & (now != lasts)
        out[:, minute] = turned & now
        lasts, before = np.where(turned, now, lasts), now
    return out


def same(case: Case, days: int, rng: np.random.Generator) -> list[Row]:
    """The first hour is not counted: it is not full yet."""
    probe, user = drawn(case, days, DAY + MINUTES, rng)
    full = [hours(each) for each in (probe, np.full_like(probe, PROBES), user, np.full_like(user, case.users))]
    return [
        Row(case.name, name, reports=float(begun(rule(*full))[:, MINUTES:].sum() / days))
        for name, rule in RULES.items()
    ]


def other(case: Case, times: int, rng: np.random.Generator) -> list[Row]:
    """Both were good for an hour; then they are not the same for two."""
    probe, user = drawn(case, times, 3 * MINUTES, rng, begins=MINUTES)
    full = [hours(each) for each in (probe, np.full_like(probe, PROBES), user, np.full_like(user, case.users))]
    return [_seen(case, name, begun(rule(*full))[:, MINUTES:]) for name, rule in RULES.items()]


def _seen(case: Case, rule: str, flags: Flags) -> Row:
    seen = flags.any(axis=1)
    minutes = float(np.median(flags.argmax(axis=1)[seen] + 1)) if seen.any() else 0.0
    return Row(case.name, rule, seen=float(seen.mean()), minutes=minutes)


def table(found: list[Row]) -> str:
    lines = [f"{'':44} {'rule':18} {'false a day':>11}  seen within 2 h"]
    for each in found:
        figure = f"{each.seen:.0%}, after {each.minutes:.0f} min" if each.seen else "never"
        false = f"{each.reports:.4f}" if each.case in {case.name for case in SAME} else ""
        lines.append(f"{each.case:44} {each.rule:18} {false:>11}  {figure if not false else ''}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer days")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rng, days = np.random.default_rng(given.seed), 200 if given.quick else 2000
    found = [row for case in SAME for row in same(case, days, rng)]
    found += [row for case in OTHER for row in other(case, 200, rng)]
    print(table(found))
    bar = MOST_FALSE * (3 if given.quick else 1)  # three in 200 days are chance
    problems = [
        f"{each.case}: {each.reports:.4f} false reports a day, bar {bar}"
        for each in found
        if each.rule == "keeptime" and each.reports > bar
    ]
    for problem in problems:
        print(f"MISSED: {problem}")
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        rows = [asdict(each) for each in found]
        given.json.write_text(json.dumps({"bench": "disagreement", "seed": given.seed, "rows": rows}, indent=1))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
