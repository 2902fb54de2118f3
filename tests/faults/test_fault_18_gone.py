"""Fault 18: 410 → the channel is dead, the operators are told, and it is never silently off."""

import asyncio
import json
from pathlib import Path

import pytest

from keeptime.model.alert import Address
from keeptime.testing.recorder import Recorder, status
from tests.faults.hearing import hearing
from tests.faults.outage import HOOK, OTHER, Stage, play, told
from tests.tell.given import BROKEN, OK, PAGE, contract

OPERATORS = Address("operators", "webhook", "env:OPERATORS")


def test_fault_18_the_channel_is_dead_the_operators_hear_and_each_new_message_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(stage: Stage, sound: Recorder) -> None:
        stage.contracts = (contract(HOOK, operators=[OPERATORS]),)
        async with hearing() as ear, hearing() as operators:
            for name, url in (("HOOK", ear.url), ("OTHER", sound.url), ("OPERATORS", operators.url)):
                monkeypatch.setenv(name, url)
            (first,) = stage.decide(PAGE)
            await asyncio.sleep(1)
            ear.instead = status(410)
            decided = stage.decide(PAGE, BROKEN, OK, to=(HOOK, OTHER), first_tick=180_000_010)
            await asyncio.sleep(1)
            assert [each.message_id for each in stage.store.letters(dead=True, most=9)] == decided
            assert len(ear.requests()) == 2, "what waited behind it is not tried"
            assert told(sound) == decided, "another receiver hears it all"
            assert operators.topics() == ["dead_letter"]
            assert str(operators.got[0].fields["reason"]).startswith(
                f"Message {decided[0]} (at_risk) for checkout by webhook was given up and is a dead letter; "
                "so is all that waited behind it: it answered 410 Gone"
            )
            (again,) = stage.decide(PAGE, first_tick=180_000_020)
            await asyncio.sleep(3600)
            assert [name for name, _ in ear.requests()] == [first, decided[0], again], "the channel is not off"
            assert operators.topics() == ["dead_letter"], "once an hour for each receiver"
            (later,) = stage.decide(PAGE, first_tick=180_000_030)
            await asyncio.sleep(1)
            assert operators.topics() == ["dead_letter"] * 2
            ear.instead = None
            stage.decide(OK, PAGE, first_tick=180_000_040)
            await asyncio.sleep(1)
            assert ear.gaps() == [None, (5, (later,))], "and the first that is taken says what is missing"

    play(tmp_path, story)


def test_fault_18_operators_whose_own_channel_is_dead_breed_no_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(stage: Stage, _: Recorder) -> None:
        stage.contracts = (contract(HOOK, operators=[OPERATORS]),)
        async with hearing() as ear:
            monkeypatch.setenv("HOOK", ear.url)
            monkeypatch.setenv("OPERATORS", ear.url)
            ear.instead = status(410)
            stage.decide(PAGE)
            await asyncio.sleep(900)
            types = [json.loads(body)["type"] for _, body in ear.requests()]
            assert types == ["keeptime.objective.at_risk", "keeptime.service.dead_letter"]
            assert len(stage.store.letters(dead=True, most=9)) == 2

    play(tmp_path, story)
