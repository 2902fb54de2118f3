"""How good the forecast is: does a chance of 30 % come true in 30 of 100, and does it tell services apart?

Simulated services (`forecast_services`) are asked at random times of their period. The judge's own forecast
answers, and so do its peers: the straight line (bad so far, over the time so far, times the period: over the budget
or not), the same line with a Poisson chance, the burn of the last three days, and one Gamma of the last 60 days.
For rolling windows, where a line has nothing to say, the judge answers alone. Brier score: mean of
(chance − what came, 0 or 1)². Calibration error: answers in ten bins of equal width by chance; the gap between
the bin's mean chance and the share that came true, weighted by the bin's answers.
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
from scipy.special import gammainc, gammaincc

from bench.forecast_services import DAYS, HARDER, HISTORY, KINDS, PERIOD, SLOTS, Services, simulate
from keeptime.judge.days import DAY, Days
from keeptime.judge.foresight import Foresight
from keeptime.judge.rules.rule import Span

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

ASKED = 6
"""Times at which each service is asked: one in each sixth of the period."""
RATIO = Fraction(1, 100)
MOST_CALIBRATION_ERROR, MOST_BRIER_RATIO = 0.03, 0.6
LINE = "straight line"
UNKNOWN = 0.2
"""Stands for no forecast; about the share of all services that miss."""


@dataclass(frozen=True)
class Asked:
    """Every service at one time each. `now`: in slots; `spent`: bad of its own window; `missed`: what came."""

    services: Services
    now: Ints
    spent: Ints
    missed: Flags
    totals: Ints
    rolling: bool

    @property
    def over(self) -> Flags:
        flags: Flags = self.spent > self.services.budget
        return flags


@dataclass(frozen=True)
class Row:
    """One forecaster on some services: means over the seeds, and the least and most of them."""

    window: str
    services: str
    who: str
    missed: float
    brier: float
    brier_least: float
    brier_most: float
    calibration: float
    calibration_most: float


def ask(services: Services, sixth: int, seed: int, *, rolling: bool) -> Asked:
    """Every service at a random time in this sixth of its period."""
    rng = np.random.default_rng((seed, sixth))
    count, span = len(services.budget), PERIOD * SLOTS
    low, high = 1 + sixth * (span - 1) // ASKED, 1 + (sixth + 1) * (span - 1) // ASKED
    begin = HISTORY * SLOTS
    now = begin + rng.integers(low, high, count)
    slots = np.arange(DAYS * SLOTS)[:, None]
    seen = slots >= (HISTORY - services.observed) * SLOTS
    totals = np.zeros((DAYS * SLOTS + 1, count), dtype=np.int64)
    np.cumsum(services.bad.reshape(-1, count) * seen, axis=0, out=totals[1:])
    column = np.arange(count)
    start = now - span if rolling else np.full(count, begin)
    spent = totals[now, column] - totals[start, column]
    missed = totals[begin + span] - totals[begin] > services.budget
    if rolling:
        ahead = now + np.arange(1, span + 1)[:, None]
        missed = (totals[ahead, column] - totals[ahead - span, column] > services.budget).any(axis=0)
    return Asked(services, now, spent, missed | (spent > services.budget), totals, rolling)


def keeptime(asked: Asked) -> Reals:
    """The judge's forecast, through its own days and windows; where it has too little to say, a chance of 20 %."""
    services, step = asked.services, SLOTS
    expected = services.budget / float(RATIO)
    a_slot = np.round(expected / PERIOD / SLOTS * 1000).astype(np.int64)
    slots = np.arange(DAYS * SLOTS + 1)[:, None]
    lived = np.maximum(0, slots - (HISTORY - services.observed) * SLOTS)
    events = lived * a_slot // 1000
    column = np.arange(len(asked.now))
    closes = np.full(len(column), (HISTORY + PERIOD) * SLOTS)
    foresight = Foresight(
        days=Days(step, 0, events[::step], asked.totals[::step]),
        tick_seconds=DAY / step,
        budget=RATIO,
        rolling=asked.rolling,
        place=column,
        end=asked.now,
        closes=asked.now if asked.rolling else closes,
        length=np.full(len(column), PERIOD * SLOTS),
        own=Span(asked.spent, asked.spent, expected),
        events=events[asked.now, column],
        bad=asked.totals[asked.now, column],
    )
    found = [foresight.of(index) for index in column.tolist()]
    return np.array([UNKNOWN if each is None else each.miss_chance for each in found])


def line(asked: Asked) -> Reals:
    return (_left(asked) * _line_pace(asked) + asked.spent > asked.services.budget).astype(np.float64)


def likely_line(asked: Asked) -> Reals:
    """The line's pace, and chance as if every request were for itself."""
    room = np.floor(asked.services.budget - asked.spent)
    mean = np.maximum(_left(asked) * _line_pace(asked), 1e-9)
    return np.where(room < 0, 1.0, gammainc(np.maximum(room, 0) + 1, mean))


def burn(asked: Asked) -> Reals:
    column, three = np.arange(len(asked.now)), 3 * SLOTS
    pace = (asked.totals[asked.now, column] - asked.totals[asked.now - three, column]) / three
    return (_left(asked) * pace + asked.spent > asked.services.budget).astype(np.float64)


def one_gamma(asked: Asked) -> Reals:
    """All days alike: mean and variance of up to 60, with two days at half the budget."""
    column, days = np.arange(len(asked.now)), np.arange(-60, 1)[:, None] * SLOTS
    bad = np.diff(asked.totals[asked.now + days, column], axis=0)
    lived = days[:-1] + asked.now - (HISTORY - asked.services.observed) * SLOTS >= 0
    half, left = asked.services.budget / PERIOD / 2, _left(asked) / SLOTS
    known = lived.sum(axis=0) + 2
    mean = ((bad * lived).sum(axis=0) + 2 * half) / known
    variance = (((bad - mean) ** 2 * lived).sum(axis=0) + 2 * (half - mean) ** 2) / (known - 1)
    rest = left * mean
    spread = np.maximum(left * variance * (1 + left / known), rest)
    room = asked.services.budget - asked.spent
    chance = gammaincc(rest**2 / spread, np.maximum(room, 0) * rest / spread)
    return np.where(room < 0, 1.0, chance)


def _left(asked: Asked) -> Ints:
    return (HISTORY + PERIOD) * SLOTS - asked.now


def _line_pace(asked: Asked) -> Reals:
    pace: Reals = asked.spent / (asked.now - HISTORY * SLOTS)
    return pace


PEERS: dict[str, Callable[[Asked], Reals]] = {
    "keeptime": keeptime,
    LINE: line,
    "straight line, Poisson": likely_line,
    "burn of 3 days": burn,
    "one Gamma of 60 days": one_gamma,
}


def brier(chance: Reals, missed: Flags) -> float:
    return float(((chance - missed) ** 2).mean())


def calibration_error(chance: Reals, missed: Flags, bins: int = 10) -> float:
    place = np.minimum((chance * bins).astype(int), bins - 1)
    gaps = [abs(float((chance - missed)[place == each].sum())) for each in range(bins)]
    return sum(gaps) / len(chance)


@dataclass(frozen=True)
class Answers:
    """What each peer said of every service at every time, and what came."""

    kind: NDArray[np.str_]
    missed: Flags
    said: dict[str, Reals]


def answers(seed: int, services: int, *, rolling: bool) -> Answers:
    simulated = simulate(seed, services)
    asked = [ask(simulated, sixth, seed, rolling=rolling) for sixth in range(ASKED)]
    peers = {"keeptime": keeptime} if rolling else PEERS
    said = {who: np.concatenate([peer(each) for each in asked]) for who, peer in peers.items()}
    return Answers(np.tile(simulated.kind, ASKED), np.concatenate([each.missed for each in asked]), said)


def rows(window: str, found: list[Answers]) -> list[Row]:
    populations = {
        "mixed": tuple(kind for kind in KINDS if kind not in HARDER),
        "mixed, with the harder": tuple(KINDS),
        **{kind: (kind,) for kind in KINDS},
    }
    return [_row(window, name, who, kinds, found) for name, kinds in populations.items() for who in found[0].said]


def _row(window: str, name: str, who: str, kinds: tuple[str, ...], found: list[Answers]) -> Row:
    chosen = [np.isin(each.kind, kinds) for each in found]
    pairs = [(each.said[who][some], each.missed[some]) for each, some in zip(found, chosen, strict=True)]
    briers, gaps = [brier(*pair) for pair in pairs], [calibration_error(*pair) for pair in pairs]
    missed = float(np.mean([pair[1].mean() for pair in pairs]))
    mean = float(np.mean(briers))
    return Row(window, name, who, missed, mean, min(briers), max(briers), float(np.mean(gaps)), max(gaps))


def table(found: list[Row]) -> str:
    base = {(each.window, each.services): each.brier for each in found if each.who == LINE}
    lines = [
        f"{'window':9} {'services':24} {'missed':>6}  {'':24} {'Brier (least–most)':24} {'× line':>7}  calibration"
    ]
    for each in found:
        of_line = base.get((each.window, each.services))
        ratio = "" if of_line is None or each.who == LINE else f"{each.brier / of_line:.2f}"
        lines.append(
            f"{each.window:9} {each.services:24} {each.missed:6.3f}  {each.who:24}"
            f" {f'{each.brier:.4f} ({each.brier_least:.4f}–{each.brier_most:.4f})':24} {ratio:>7}"
            f"  {each.calibration:.3f} (most {each.calibration_most:.3f})"
        )
    return "\n".join(lines)


def missed_bars(found: list[Row]) -> list[str]:
    """Sentences for what misses its bar: the mixed services, by calendar periods."""
    mixed = {each.who: each for each in found if (each.window, each.services) == ("calendar", "mixed")}
    ours, peer = mixed["keeptime"], mixed[LINE]
    problems = []
    if ours.calibration_most > MOST_CALIBRATION_ERROR:
        problems.append(f"calibration error {ours.calibration_most:.3f}, bar {MOST_CALIBRATION_ERROR}")
    if ours.brier > MOST_BRIER_RATIO * peer.brier:
        problems.append(f"Brier score {ours.brier / peer.brier:.3f} of the line's, bar {MOST_BRIER_RATIO}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer services and seeds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    services, seeds = (2000, 2) if given.quick else (8000, 5)
    found: list[Row] = []
    for window in ("calendar", "rolling"):
        said = [answers(given.seed + each, services, rolling=window == "rolling") for each in range(seeds)]
        found += rows(window, said)
    print(table(found))
    problems = missed_bars(found)
    for each in problems:
        print(f"MISSED: {each}")
    if given.json:
        given.json.parent.mkdir(parents=True, exist_ok=True)
        said_rows = [asdict(each) for each in found]
        given.json.write_text(json.dumps({"bench": "forecast", "seed": given.seed, "rows": said_rows}, indent=1))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
