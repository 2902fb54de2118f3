"""Probes and users beside each other while keeptime runs: a disagreement is told once, and is over in time."""

import asyncio
from dataclasses import replace

from keeptime.app.beside import AGAIN, CODE, MINUTES, SUSTAINED, Beside
from keeptime.contract.terms import Contract
from keeptime.contract.traffic.source import Traffic
from keeptime.model.batch import Batch, Span
from keeptime.model.exclusion import BETWEEN_BOUNDS
from keeptime.model.key import ObjectiveKey, Signal
from keeptime.model.sample import Failure
from keeptime.model.tally import Tally, TickRecord
from keeptime.observe.count import Counter
from tests.observe.given import contract, objective, sample

S = 1_000_000_000
START = 1_795_000_020 // 60 * 60
KEY = ObjectiveKey("c", "p99")
BOTH = replace(contract("http://127.0.0.1/", objectives=(objective("p99", 0.5),)), traffic=(Traffic("otlp"),))
SAME, SLOW = Tally(good=1000), Tally(good=900, bad=100)


class Told:
    """What the operators are told."""

    def __init__(self, of: Contract = BOTH) -> None:
        self.said: list[tuple[str, str, str | None, str]] = []
        self.beside = Beside(lambda: (of,), 60.0, self._tell)
        self.tick = START // 60

    async def _tell(self, code: str, sentence: str, contract_: str | None, subject: str) -> None:
        self.said.append((code, sentence, contract_, subject))

    def minutes(self, many: int, users: Tally, probe_bad: int = 0, between: int = 0) -> None:
        """Six probes a minute, and these requests."""
        whole = users + Tally(good=6 - probe_bad, bad=probe_bad, excluded=between)
        why = {KEY: {BETWEEN_BOUNDS: between}} if between else {}
        probed = {KEY: (6 - probe_bad, probe_bad)}
        records = [TickRecord(self.tick + n, {KEY: whole}, exclusions=why, probed=probed) for n in range(many)]
        asyncio.run(self.beside.add(records))
        self.tick += many


def test_a_disagreement_is_told_when_it_has_lasted_and_again_after_a_day() -> None:
    one = Told()
    one.minutes(90, SAME)
    assert one.said == []
    one.minutes(MINUTES, SLOW)
    ((code, sentence, contract_, subject),) = one.said
    assert (code, contract_, subject) == (CODE, "c", "p99")
    assert "probes and users disagree about p99 (99% of requests under 500ms over 1h)" in sentence
    assert "0 of 360 (0%) probes were bad" in sentence
    assert "users see what the probe does not" in sentence
    view = one.beside.of(BOTH, BOTH.objectives[0])
    assert view is not None
    assert view.compared
    assert view.disagreement
    assert 6 * MINUTES <= view.sides.probes <= 6 * (MINUTES + 1)
    one.minutes(AGAIN, SLOW)
    assert len(one.said) == 2
    one.minutes(MINUTES + SUSTAINED + 1, SAME)
    view = one.beside.of(BOTH, BOTH.objectives[0])
    assert view is not None
    assert view.disagreement == ""
    assert len(one.said) == 2, "that it is over is shown, not told"


def test_the_reverse_is_told_too_and_what_is_alike_is_not() -> None:
    one = Told()
    one.minutes(MINUTES, SAME, probe_bad=1)
    assert ["the probe sees what users do not" in sentence for _, sentence, *_ in one.said] == [True]
    two = Told()
    two.minutes(MINUTES, SLOW, probe_bad=1)
    assert two.said == [], "both are bad, and nearly alike"


def test_what_chance_explains_is_nothing() -> None:
    one = Told()
    one.minutes(2 * MINUTES, Tally(good=980, bad=20))
    assert one.said == [], "2 % of users are slow, which none of 360 probes met with a chance of 1 in 1,400"


def test_what_lies_between_bounds_is_shown_and_never_taken_for_slow() -> None:
    one = Told()
    one.minutes(MINUTES + 1, SAME, between=500)
    assert one.said == []
    view = one.beside.of(BOTH, BOTH.objectives[0])
    assert view is not None
    assert view.sides.whole == (1006 / 1506, 1.0)


def test_the_counter_keeps_probes_apart_only_where_there_is_traffic_beside_them() -> None:
    for one, expected in ((BOTH, {KEY: (1, 2)}), (replace(BOTH, traffic=()), {})):
        counting = Counter([one], 10.0, start_ns=START * S)
        at = START * S + 5
        counting.add(sample(at, S // 10))
        counting.add(sample(at, S // 10, Failure.STATUS))
        counting.overdue("c", at + 1)
        counting.add(sample(at + 1, 2 * S))
        counting.add(replace(sample(at, 2 * S), observer="push"))
        users = Batch("c", Signal.REQUESTS, at, 10, spans=(Span(0, 0.5, 10),), attributes={"observer": "otlp"})
        counting.put_batch(users)
        (record,) = counting.close(START * S + 12 * S)
        assert record.tallies == {KEY: Tally(11, 3)}
        assert record.probed == expected
