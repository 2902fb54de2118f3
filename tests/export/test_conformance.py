"""The embedded judge and the exported rules in Prometheus' engine say the same, at every tick."""

from pathlib import Path

import pytest

from tests.judge import scenario

from .conforming import conform, played

HERE = Path(__file__).parent
CASES = [
    *scenario.read(HERE / "scenarios" / "conformance.test"),
    *scenario.read(HERE / "scenarios" / "buckets.test"),
]
EVERY = [pytest.param(case, marks=[pytest.mark.soak] if nth % 3 else []) for nth, case in enumerate(CASES)]
"""Every third one in `make test`, all in `make soak`: promtool takes seconds for each."""

LONG = scenario.read(HERE / "scenarios" / "long.test")
JUDGES = [case for file in sorted((HERE.parent / "judge/scenarios").glob("*.test")) for case in scenario.read(file)]
LONGEST = 15_000
"""Ticks of a judge's scenario that promtool can be asked to live through."""


@pytest.mark.parametrize("case", EVERY, ids=lambda case: case.name)
def test_the_rules_say_what_the_judge_says(case: scenario.Case, tmp_path: Path) -> None:
    conform(case, tmp_path)


def test_there_are_enough_and_their_names_differ() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 55


@pytest.mark.soak
@pytest.mark.parametrize("case", LONG, ids=lambda case: case.name)
def test_so_they_do_over_a_longer_time(case: scenario.Case, tmp_path: Path) -> None:
    conform(case, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("case", JUDGES, ids=lambda case: case.name)
def test_so_they_do_in_the_judges_own_scenarios(case: scenario.Case, tmp_path: Path) -> None:
    if played(case).tick > LONGEST:
        pytest.skip("too long for promtool")
    conform(case, tmp_path)
