"""What a restart of `keeptime run` keeps: counts, holds, and who was told what."""

import time
from pathlib import Path

import pytest

from tests.e2e.keeping import Keeptime, keeping, terms, until
from tests.e2e.peers import consumer, model


def first_verdict(one: Keeptime) -> dict[str, object]:
    until(lambda: one.objective()["condition"] is not None, 10, "a first verdict")
    return one.objective()


@pytest.mark.parametrize("how", ["end", "kill"])
def test_windows_go_on_where_they_were(tmp_path: Path, how: str) -> None:
    with model() as served, keeping(tmp_path / "k", terms(served.url)) as one:
        one.start()
        before = int(one.await_events(40)["good"])  # type: ignore[call-overload]
        getattr(one, how)()
        one.start()
        after = int(first_verdict(one)["good"])  # type: ignore[call-overload]
        one.end()
    assert after >= before, "the window began anew"
    assert after < before + 60, "something was counted twice"


def test_a_tick_that_was_cut_off_is_incomplete(tmp_path: Path) -> None:
    with model() as served, keeping(tmp_path / "k", terms(served.url)) as one:
        one.start()
        one.await_events(20)
        one.kill()
        partly = {tick for (tick,) in one.rows("SELECT tick FROM incomplete")}
        ((first, last),) = one.rows("SELECT first, last FROM lived")
        assert first in partly, "the tick in which it started is incomplete"
        time.sleep(2.5)
        one.start()
        first_verdict(one)
        assert one.end() == 0
        runs = one.rows("SELECT first, last FROM lived ORDER BY first")
        incomplete = {tick for (tick,) in one.rows("SELECT tick FROM incomplete")}
    assert runs[0] == (first, last), "the ticks of the first life are as they were"
    assert len(runs) == 2, "what lies between the two lives was not lived through"
    assert int(runs[1][0]) >= int(last) + 2  # type: ignore[call-overload]
    begun_and_ended = {runs[0][0], runs[1][0], runs[1][1]}
    lived = {tick for begin, end in runs for tick in range(int(begin), int(end) + 1)}  # type: ignore[call-overload]
    assert incomplete & lived <= begun_and_ended, "no other tick that was lived through"
    assert int(last) + 1 in incomplete, "the tick that was cut off"  # type: ignore[call-overload]
    assert begun_and_ended <= incomplete, "each life begins, and an ordered one ends, in the middle of a tick"


@pytest.mark.soak  # fault 1 has it with kills
def test_a_breach_is_told_once_over_restarts_and_then_its_end(tmp_path: Path) -> None:
    with model() as served, consumer() as told, keeping(tmp_path / "k", terms(served.url), told.url) as one:
        one.start()
        one.await_events(30)
        served.delay = 0.35
        one.await_condition("broken")
        one.kill()
        one.start()
        assert first_verdict(one)["condition"] == "broken"
        assert one.end() == 0
        one.start()
        assert first_verdict(one)["condition"] == "broken"
        served.delay = 0.0
        one.await_condition("ok", 90)
        until(lambda: told.topics()[-1:] == ["recovered"], 10, "the consumer to hear of the end")
        assert one.end() == 0
        sent = [name for (name,) in one.rows("SELECT message_id FROM message ORDER BY id")]
    assert told.topics().count("broken") == 1
    assert told.topics().count("recovered") == 1
    assert told.once() == sent
