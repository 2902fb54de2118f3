"""Fault 21: down for 72 h → dead letters, the operators are told, the gap is declared, replay works."""

import asyncio
from pathlib import Path

import pytest

from keeptime.model.alert import Address
from keeptime.tell.retry import PATIENCE
from keeptime.testing.recorder import Recorder, status
from tests.faults.hearing import hearing
from tests.faults.outage import ASLEEP, HOOK, Stage, play
from tests.tell.given import BROKEN, OK, PAGE, contract

HOUR = 3600.0
OPERATORS = Address("operators", "webhook", "env:OPERATORS")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("asleep", ASLEEP)
def test_fault_21_what_was_given_up_is_told_named_and_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asleep: float
) -> None:
    async def story(stage: Stage, _: Recorder) -> None:
        stage.contracts = (contract(HOOK, operators=[OPERATORS]),)
        async with hearing() as ear, hearing() as operators:
            monkeypatch.setenv("HOOK", ear.url)
            monkeypatch.setenv("OPERATORS", operators.url)
            stage.decide(PAGE)
            await asyncio.sleep(1)
            ear.instead = status(503)
            lost = stage.decide(BROKEN, OK, first_tick=180_000_010)
            stage.sleep(asleep)
            await asyncio.sleep(PATIENCE - asleep - 1)
            assert list(stage.store.dead_letters()) == []
            await asyncio.sleep(HOUR)
            dead = stage.store.letters(dead=True, most=9)
            assert [each.message_id for each in dead] == lost
            assert dead[0].error.startswith("not taken in 72 h and ")
            assert operators.topics() == ["dead_letter"]
            ear.instead = None
            stage.decide(PAGE, first_tick=180_000_100)
            await asyncio.sleep(1)
            assert ear.gaps() == [None, (2, tuple(lost))], "the next message names the gap"
            sent = dict(ear.requests())
            assert stage.store.replay(stage.clock.wall_ns() / 1e9, rows=None, contract=None) == 2
            stage.dispatcher.wake()
            await asyncio.sleep(1)
            assert [each.id for each in ear.got[2:]] == lost
            assert all(sent[name] == body for name, body in ear.requests() if name in lost)
            assert [each.remark for each in ear.got[2:]] == [
                "late: number 2 of sentiment-latency, which was missing; 1 are still missing",
                "late: number 3 of sentiment-latency, which was missing; nothing is missing any more",
            ]
            assert not stage.store.waiting()
            assert list(stage.store.dead_letters()) == []

    play(tmp_path, story)
