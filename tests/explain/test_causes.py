"""Planted causes are found, each kind of them, and nothing is named where nothing was planted; `bench.explain` asks
the same of many more services."""

import numpy as np
import pytest
from bench.explain import PLANTED, WITHOUT, hash_of, planted, without

from keeptime.explain.cause import explain
from keeptime.model.explanation import CauseKind


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_cause_is_named_first(what: str) -> None:
    for run in range(4):
        question, plant = planted(what, np.random.default_rng([7, run, hash_of(what)]))
        found = explain(question)
        assert plant.true(found.causes[0]), (run, found.lines)
        assert found.lines[0] == found.causes[0].sentence
        assert len(found.lines) <= 2
        assert found.causes[0].share is not None
        assert found.causes[0].share.low <= found.causes[0].share.at <= found.causes[0].share.high


@pytest.mark.parametrize("what", WITHOUT)
def test_without_a_cause_nothing_stands_out(what: str) -> None:
    found = [explain(without(what, np.random.default_rng([7, run, hash_of(what)]))) for run in range(6)]
    silent = [each for each in found if not each.causes]
    assert len(silent) >= 5
    assert all(each.lines[0].startswith("Nothing stands out: ") for each in silent)


def test_a_change_says_since_when_and_how_surely() -> None:
    question, _ = planted("a deploy", np.random.default_rng([7, 1, 5]))
    found = explain(question)
    assert found.changed is not None
    assert found.changed.earliest <= found.changed.at <= found.changed.latest
    assert found.changed.before < found.changed.during
    deploy = next(each for each in question.events if each.id == 77)
    assert found.changed.earliest - 61 <= deploy.at <= found.changed.latest + 10, (
        "it was made up to a minute before"
    )
    assert found.causes[0].kind == CauseKind.EVENT
    assert "v77 by ci" in found.lines[0]


def test_the_same_question_has_the_same_answer() -> None:
    question, _ = planted("two together", np.random.default_rng([7, 2, 4]))
    assert explain(question) == explain(question)
