"""The whole comparison, in as many processes as wanted.

Guarantees: figures depend on the seed and the size alone, not on the number of processes. Progress goes to stderr.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial

from bench.alert_quality.figures import Outcome, Row, outcome, row
from bench.alert_quality.judging import alerts
from bench.alert_quality.rules import OURS, RIVALS, Rival
from bench.alert_quality.streams import SCENARIOS, TARGETS, TRAFFIC, Stream, month, scenario
from bench.alert_quality.tuning import GRID, Settings, Tuned, tune

BATCH = 15
TUNING_SEED = 1_000_003
"""What is tuned is tuned on other months than it is measured on."""


@dataclass(frozen=True, slots=True)
class Size:
    """`months`: a multiple of 45; `repeats`: of each scenario, target and traffic; `grid`: what tuning tries."""

    months: int
    tuning_months: int
    repeats: int
    scenarios: tuple[str, ...] = tuple(SCENARIOS)
    grid: tuple[Settings, ...] = GRID

    def with_months(self, months: int) -> "Size":
        return replace(self, months=max(45, months // 45 * 45))


@dataclass(frozen=True, slots=True)
class Case:
    """What one rule made of one stream, with what the stream was."""

    rule: str
    target: Fraction
    traffic: str
    noise: str
    scenario: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Found:
    """Everything measured. `mixed`, `scenarios`: per rule and stream."""

    seed: int
    size: Size
    tuned: Tuned
    rules: tuple[str, ...]
    mixed: tuple[Case, ...]
    scenarios: tuple[Case, ...] = field(repr=False)

    def rows(self, cases: Iterable[Case]) -> list[Row]:
        """A row per rule."""
        own: dict[str, list[Outcome]] = {name: [] for name in self.rules}
        for case in cases:
            own[case.rule].append(case.outcome)
        return [row(name, outcomes) for name, outcomes in own.items() if outcomes]


@dataclass(frozen=True, slots=True)
class _Job:
    """Months `numbers` of a seed, or repeats of a named scenario at one target and traffic; all of one target."""

    seed: int
    numbers: tuple[int, ...]
    scenario: str = ""
    place: tuple[int, int] = (0, 0)

    def streams(self) -> list[Stream]:
        if not self.scenario:
            return [month(self.seed, number) for number in self.numbers]
        target, traffic = self.place
        base = 1000 * (1 + target * len(TRAFFIC) + traffic)
        return [
            scenario(self.scenario, TARGETS[target], TRAFFIC[traffic], self.seed, base + number)
            for number in self.numbers
        ]


def measured(size: Size, seed: int, jobs: int) -> Found:
    """Tune, then run everything."""
    with ProcessPoolExecutor(jobs) as pool:

        def run(rivals: Sequence[Rival], work: Sequence[_Job], what: str) -> list[Case]:
            found: list[Case] = []
            for done, cases in enumerate(pool.map(partial(_judge, rivals), work), 1):
                found += cases
                _progress(what, done, len(work))
            return found

        mixed = run(RIVALS, _months(seed, size.months), "mixed population")
        ours = row(OURS, [case.outcome for case in mixed if case.rule == OURS])
        tuned = tune(ours.false_per_month, size.grid, lambda rivals: _tuning(rivals, run, seed, size))
        mixed += run([tuned.rival], _months(seed, size.months), "re-tuned")
        single = run([*RIVALS, tuned.rival], _scenarios(seed, size), "scenarios")
    order = (*(each.name for each in RIVALS[:-1]), tuned.rival.name, OURS)
    return Found(seed, size, tuned, order, tuple(mixed), tuple(single))


def _progress(what: str, done: int, of: int) -> None:
    """A line that counts on in a terminal; one line at the end elsewhere."""
    if sys.stderr.isatty() or done == of:
        start, end = ("\r", "\n" if done == of else "") if sys.stderr.isatty() else ("", "\n")
        print(f"{start}{what}: {done} of {of}", end=end, file=sys.stderr, flush=True)


def _tuning(rivals: Sequence[Rival], run, seed: int, size: Size) -> list[Row]:  # type: ignore[no-untyped-def]
    cases: list[Case] = run(rivals, _months(seed + TUNING_SEED, size.tuning_months), "tuning")
    return [row(each.name, [case.outcome for case in cases if case.rule == each.name]) for each in rivals]


def _months(seed: int, months: int) -> list[_Job]:
    """Batches of one target each (a month's target is its number's rest by three)."""
    numbers = [range(target, months, len(TARGETS)) for target in range(len(TARGETS))]
    return [_Job(seed, tuple(own[start : start + BATCH])) for own in numbers for start in range(0, len(own), BATCH)]


def _scenarios(seed: int, size: Size) -> list[_Job]:
    return [
        _Job(seed, tuple(range(size.repeats)), name, (target, traffic))
        for name in size.scenarios
        for target in range(len(TARGETS))
        for traffic in range(len(TRAFFIC))
    ]


def _judge(rivals: Sequence[Rival], job: _Job) -> list[Case]:
    streams = job.streams()
    return list(_cases(rivals, streams))


def _cases(rivals: Sequence[Rival], streams: Sequence[Stream]) -> Iterator[Case]:
    for rival in rivals:
        for stream, found in zip(streams, alerts(rival, streams), strict=True):
            yield Case(
                rival.name,
                stream.target,
                stream.traffic.name,
                stream.noise,
                stream.scenario,
                outcome(stream, found),
            )
