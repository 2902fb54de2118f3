"""Runs every case of scenarios/*.test."""

from pathlib import Path

import pytest

from .scenario import Case, ScriptError, play, read

SCRIPTS = sorted((Path(__file__).parent / "scenarios").glob("*.test"))
CASES = [(path.stem, case) for path in SCRIPTS for case in read(path)]


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{stem}: {case.name}") for stem, case in CASES])
def test_scenario(case: Case) -> None:
    play(case)


def _play_all(path: Path) -> None:
    for case in read(path):
        play(case)


def test_there_are_enough_cases_and_no_name_twice() -> None:
    names = [(stem, case.name) for stem, case in CASES]
    assert len(names) == len(set(names)) >= 70


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("load 1h", "begins with `case NAME`"),
        ("case a\n load 1h\n", "ends with an expectation"),
        ("case a\n expect ok\n", "nothing has happened"),
        ("case a\n load 1h\n expect broken\n", "but it is: ok"),
        ("case a\n load 1h\n expect ok within 5s\n", "so after 10 s"),
        ("case a\n load 1h\n expect never ok\n", "so after 10 s"),
        ("case a\n load 1h\n expect happiness\n", "cannot be read"),
        ("case a\n lode 1h\n expect ok\n", "cannot be read"),
        ("case a\n no probes\n load 1h\n expect ok\n", "needs a rate"),
        ("case a\n load 1h\n promise 99% of requests under 1s over 1d\n expect ok\n", "terms come before"),
        ("case a\n promise 99%\n load 1h\n expect ok\n", "cannot be read"),
        ("case a\n load 1h\n expect reason contains giraffe\n", "but it is"),
        ("case a\n load 1h\n expect good 361\n", "but it is: 360"),
        ("case a\n promise 99 of requests under 1s over 1d\n load 1h\n expect ok\n", "no percentage"),
        ("case a\n policy burn-rate often\n load 1h\n expect ok\n", "is no tier"),
        ("case a\n outage 1h\n expect at_risk not before 1h\n", "so after"),
    ],
)
def test_a_script_that_is_wrong_says_where(tmp_path: Path, script: str, why: str) -> None:
    path = tmp_path / "wrong.test"
    path.write_text(script, encoding="utf-8")
    with pytest.raises(ScriptError) as caught:
        _play_all(path)
    assert "wrong.test:" in str(caught.value)
    assert why in str(caught.value)
