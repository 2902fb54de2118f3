"""Receivers that fail: what was decided meanwhile is told once they are back, whole and in order; others wait for
nobody."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from keeptime.testing.recorder import Recorder, drip, hang, recording, status
from tests.e2e.keeping import until
from tests.faults.outage import HOOK, OTHER, Stage, answering, expired, play, told
from tests.faults.proxy import Way
from tests.faults.scene import SLOW, Scene, scene
from tests.nobody import nobody_listening
from tests.tell.given import BROKEN, NO_DATA, OK, PAGE

MINUTE = 60.0
ANSWERS = {
    "500": status(500),
    "400": status(400),
    "429 with Retry-After": status(429, retry_after="45"),
    "hangs": hang(),
    "drips": drip(b"HTTP/1.1 204 No Content\r\n\r\n", every=1.0),
}


SAID = {
    "refused": "refused",
    "hangs": "no answer within",
    "drips": "no answer within",
    "TLS expired": "certificate",
    "name gone": "n",
}
"""A part of the error, where it is not the status."""


@asynccontextmanager
async def failing(how: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The URL of a receiver that fails in this way."""
    async with AsyncExitStack() as stack:
        if how == "refused":
            yield f"http://127.0.0.1:{stack.enter_context(nobody_listening())}/hook"
        elif how == "TLS expired":
            yield await stack.enter_async_context(expired(folder / "tls", monkeypatch))
        elif how == "name gone":
            yield "http://gone.invalid/hook"
        else:
            yield await stack.enter_async_context(answering(ANSWERS[how]))


@pytest.mark.parametrize("how", ["refused", *ANSWERS, "TLS expired", "name gone"])
def test_fault_15_five_minutes_of_it_with_three_of_a_breach_inside_and_both_ends_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    decided: list[str] = []
    errors: list[str] = []

    async def story(stage: Stage, sound: Recorder) -> None:
        async with failing(how, tmp_path, monkeypatch) as url:
            monkeypatch.setenv("HOOK", url)
            await asyncio.sleep(MINUTE)
            decided.extend(stage.decide(PAGE))
            await asyncio.sleep(3 * MINUTE)
            decided[:] = stage.decide(PAGE, OK)
            await asyncio.sleep(MINUTE)
            (waiting,) = stage.store.waiting()
            assert waiting.count == 2
            errors.extend(each.last_error for each in stage.dispatcher.counters.values())
        monkeypatch.setenv("HOOK", sound.url)
        await asyncio.sleep(10 * MINUTE)
        assert not stage.store.waiting()
        assert list(stage.store.dead_letters()) == []

    sound = play(tmp_path / "data", story)
    assert told(sound) == decided
    assert [json.loads(each.body)["type"].rsplit(".")[-1] for each in sound.requests] == ["at_risk", "recovered"]
    assert SAID.get(how, how[:3]) in errors[0]


def test_fault_29_all_that_flaps_inside_an_outage_is_told_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [PAGE, OK, PAGE, BROKEN, NO_DATA, BROKEN, PAGE, OK, NO_DATA, OK] * 3
    decided: list[str] = []

    async def story(stage: Stage, sound: Recorder) -> None:
        async with answering(status(503)) as url:
            monkeypatch.setenv("HOOK", url)
            for number in range(1, len(cases) + 1):
                decided[:] = stage.decide(*cases[:number])
                await asyncio.sleep(MINUTE / 3)
        monkeypatch.setenv("HOOK", sound.url)
        await asyncio.sleep(3 * MINUTE)

    sound = play(tmp_path / "data", story)
    assert len(decided) == len(cases)
    assert told(sound) == decided
    numbers = [json.loads(each.body)["sequence"] for each in sound.requests]
    assert numbers == list(range(numbers[0], numbers[0] + len(cases)))


def test_fault_20_who_hangs_delays_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixteen contracts tell both: the other hears of all before the first attempt at who hangs has ended."""
    names = [f"c{number}" for number in range(16)]

    async def story(stage: Stage, sound: Recorder) -> None:
        async with recording(otherwise=hang()) as stuck:
            monkeypatch.setenv("HOOK", stuck.url)
            monkeypatch.setenv("OTHER", sound.url)
            for name in names:
                stage.decide(PAGE, BROKEN, OK, to=(HOOK, OTHER), name=name)
            await sound.wait_for(3 * len(names))
            assert stuck.requests, "it was asked"
            assert {each.failed for each in stage.dispatcher.counters.values()} == {0}

    sound = play(tmp_path / "data", story)
    assert len(told(sound)) == 3 * len(names)


def outage_of(stage: Scene, way: Way) -> None:
    """A breach begins and ends while nothing gets through; then everything does."""
    stage.network.be(way)
    stage.keeptime.start()
    stage.keeptime.await_events(10)
    stage.model.delay = SLOW
    until(lambda: stage.unsent() > 0, 30, "the breach to be decided")
    stage.model.delay = 0.0
    stage.keeptime.await_condition("ok", 60)
    until(lambda: stage.unsent() > 1, 30, "its end to be decided")
    stage.network.be(Way.PASS)
    stage.await_topic("recovered", 90)
    stage.check_told()


def test_fault_15_a_breach_inside_an_outage_of_the_network_is_told_whole(tmp_path: Path) -> None:
    with scene(tmp_path) as stage:
        outage_of(stage, Way.RESET)
        assert stage.told.topics()[0] in ("at_risk", "broken")


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", [Way.REFUSE, Way.HANG, Way.DROP, Way.RESET, Way.DRIP, Way.CUT])
def test_fault_15_five_real_minutes_of_each(tmp_path: Path, way: Way) -> None:
    with scene(tmp_path) as stage:
        stage.network.be(way)
        stage.keeptime.start()
        for seconds, delay in ((60, 0.0), (180, SLOW), (60, 0.0)):
            stage.model.delay = delay
            asyncio.run(asyncio.sleep(seconds))
        assert way is Way.CUT or stage.told.received == []
        stage.network.be(Way.PASS)
        stage.await_topic("recovered", 120)
        stage.check_told()
