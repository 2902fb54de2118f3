"""Evidence in the store: found by time and kind, bounded, and what was said of an incident."""

from pathlib import Path

import pytest

from keeptime.model.exemplar import Exemplar, ExemplarQuery
from keeptime.model.explanation import Cause, Changed, Explanation, Looked, PhaseTime, Share
from keeptime.model.trace import Why
from keeptime.store import exemplars as limits
from tests.store.given import opened

SECOND = 1_000_000_000
WHOLE = Exemplar(
    "digits", 5 * SECOND, SECOND, Why.SLOW, status=200, observer="push", weight=2.5, phases={"wait": 7},
    timings={"queue": 3}, attributes={"replica": "r3"}, trace="a" * 32, stacks=(("main;wait", 4),),
    signals={"first_token": 9},
)  # fmt: skip
FOUND = Explanation(
    "digits.p99.x", 9.0, ("one", "two"), (Cause("attribute", "one", ("replica=r3",), Share(0.1, 0.5, 0.9)),),
    Changed(1.0, 0.0, 2.0, None, 0.01, 0.2), (PhaseTime("queue", 0.1, 0.4, 0.9),), Looked(1, 2, 0.0, 9.0, 3, 4),
)  # fmt: skip


def one(at: int, why: Why = Why.SLOW, contract: str = "digits", latency: int = SECOND) -> Exemplar:
    return Exemplar(contract, at * SECOND, latency, why)


def test_all_that_is_known_comes_back(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.keep_exemplars([WHOLE, one(6, latency=1)])
    assert store.exemplars(ExemplarQuery("digits")) == (one(6, latency=1), WHOLE)
    store.close()
    again = opened(tmp_path)
    assert again.exemplars(ExemplarQuery("digits"))[1] == WHOLE
    again.close()


def test_they_are_found_by_contract_time_and_kind_newest_first(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.keep_exemplars([one(1), one(2, Why.USUAL), one(3, Why.FAILED), one(4, contract="other"), one(5)])
    seconds = [each.at_ns // SECOND for each in store.exemplars(ExemplarQuery("digits", since=2.0, until=5.0))]
    assert seconds == [3, 2]
    assert [each.why for each in store.exemplars(ExemplarQuery("digits", why=Why.FAILED))] == [Why.FAILED]
    assert len(store.exemplars(ExemplarQuery("digits", most=2))) == 2
    store.close()


def test_the_oldest_of_either_kind_are_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_SLOW", 3)
    monkeypatch.setattr(limits, "MOST_USUAL", 2)
    store = opened(tmp_path)
    store.keep_exemplars([one(at, why) for at in range(10) for why in (Why.SLOW, Why.USUAL)], prune=True)
    found = store.exemplars(ExemplarQuery("digits"))
    assert sorted((each.at_ns // SECOND, each.why.value) for each in found) == [
        (7, "slow"), (8, "slow"), (8, "usual"), (9, "slow"), (9, "usual"),
    ]  # fmt: skip
    store.close()


def test_what_was_said_last_of_an_incident_is_kept(tmp_path: Path) -> None:
    store = opened(tmp_path)
    assert store.explanation("digits.p99.x") is None
    store.keep_explanation(Explanation("digits.p99.x", 1.0, ("nothing",)))
    store.keep_explanation(FOUND)
    assert store.explanation("digits.p99.x") == FOUND
    store.close()
