"""Silences and acknowledgements as values: whom, what and when they are about."""

from dataclasses import replace

import pytest

from keeptime.model.ack import Ack, acknowledged
from keeptime.model.alert import KEEPTIME, AlertRow, AlertState
from keeptime.model.key import ObjectiveKey
from keeptime.model.silence import LONGEST, Silence, muted_by, refusal
from keeptime.model.verdict import Condition, Severity

KEY = ObjectiveKey("digits", "fast")
ONE = Silence(1, "digits", "fast", "ann", "moving", 100.0, 200.0)


def test_consumers_and_what_keeptime_says_of_itself_are_never_muted() -> None:
    whole = replace(ONE, objective="")
    assert muted_by([whole], "operators", KEY, 150.0) == whole
    assert muted_by([whole], "checkout", KEY, 150.0) is None
    assert muted_by([whole], "operators", ObjectiveKey("digits", KEEPTIME), 150.0) is None
    assert (
        muted_by([replace(ONE, objective=KEEPTIME)], "operators", ObjectiveKey("digits", KEEPTIME), 150.0) is None
    )


def test_another_objective_or_contract_is_not_meant() -> None:
    assert muted_by([ONE], "operators", ObjectiveKey("digits", "right"), 150.0) is None
    assert muted_by([ONE], "operators", ObjectiveKey("letters", "fast"), 150.0) is None


@pytest.mark.parametrize(("at", "active"), [(99.9, False), (100, True), (199.9, True), (200, False)])
def test_from_its_beginning_until_before_its_end(at: float, active: bool) -> None:
    assert ONE.active(at) is active
    assert not replace(ONE, ended=100.0).active(at)


@pytest.mark.parametrize(
    ("begins", "ends", "word"),
    [(100, 100, "passed"), (300, 200, "before it begins"), (100, 101 + LONGEST, "30 days"), (100, 200, "")],
)
def test_what_can_be_no_silence(begins: float, ends: float, word: str) -> None:
    why = refusal(begins, ends, 100.0)
    assert word in why
    assert bool(why) is bool(word)


def test_an_acknowledgement_ends_with_its_alert() -> None:
    row = AlertRow(KEY, AlertState.FIRING, Condition.BROKEN, Severity.PAGE, 10.0, 10.0)
    ack = Ack(KEY, 10.0, "ann", "", 11.0)
    assert acknowledged(row, ack) == ack
    assert acknowledged(replace(row, state=AlertState.RESOLVED), ack) is None
    assert acknowledged(replace(row, started=20.0), ack) is None, "another alert"
    assert acknowledged(None, ack) is None
    assert acknowledged(row, None) is None
