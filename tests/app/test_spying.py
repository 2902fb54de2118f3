"""A process is looked at when an alert of its contract fires, once a minute, and what fails costs nothing."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

from keeptime.app.keeper import Kept
from keeptime.app.spying import AGAIN, Spying
from keeptime.contract.process import Process
from keeptime.errors import SourceError
from keeptime.model.alert import Message, Topic
from keeptime.model.exemplar import Exemplar
from keeptime.model.key import ObjectiveKey
from keeptime.testing.showable import contract
from keeptime.testing.virtual import VirtualClock, VirtualLoop

NAME = contract().name
WATCHED = replace(contract(), process=Process(4711, ""))


class FakeSpy:
    """`answers`: of the next looks; one that is an error is raised."""

    def __init__(self, *answers: tuple[tuple[str, int], ...] | SourceError, problem: str = "") -> None:
        self.answers, self.looked, self._problem = list(answers), [], problem  # type: ignore[var-annotated]

    def problem(self) -> str:
        return self._problem

    async def look(self, process: Process) -> tuple[tuple[str, int], ...]:
        self.looked.append(process)
        found = self.answers.pop(0)
        if isinstance(found, SourceError):
            raise found
        return found


def told(topic: Topic, name: str = NAME) -> Kept:
    return Kept({}, (Message("1", ObjectiveKey(name, "p99"), topic, 1, b"{}", ()),), "", ())


def seen(spy: FakeSpy, *steps: tuple[float, Kept]) -> list[Exemplar]:
    """What is kept after these steps."""
    kept: list[Exemplar] = []

    def take(those: Sequence[Exemplar]) -> int:
        kept.extend(those)
        return len(those)

    async def stepped(loop: VirtualLoop) -> None:
        spying = Spying(spy, take, lambda: [WATCHED], VirtualClock(loop, 1000.0))
        running = asyncio.create_task(spying.run())
        for now, each in steps:
            await spying.see(each, now)
            await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    loop = VirtualLoop()
    try:
        loop.run_until_complete(stepped(loop))
    finally:
        loop.close()
    return kept


def test_an_alert_that_fires_is_looked_into_at_most_once_a_minute() -> None:
    spy = FakeSpy((("a;b", 3),), (("a;c", 1),))
    kept = seen(
        spy,
        (1000.0, told(Topic.RECOVERED)),
        (1001.0, told(Topic.BROKEN, "another")),
        (1002.0, told(Topic.AT_RISK)),
        (1003.0, told(Topic.BROKEN)),
        (1002.0 + AGAIN, told(Topic.BROKEN)),
    )
    assert spy.looked == [Process(4711, "")] * 2
    assert [(each.contract, each.observer, each.latency_ns, each.stacks) for each in kept] == [
        (NAME, "py-spy", 0, (("a;b", 3),)),
        (NAME, "py-spy", 0, (("a;c", 1),)),
    ]


def test_what_fails_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    spy = FakeSpy(SourceError("it may not"), SourceError("it may not"), (), problem="py-spy is not installed")
    with caplog.at_level(logging.WARNING, "keeptime"):
        assert seen(spy, *((1000.0 + nth * AGAIN, told(Topic.BROKEN)) for nth in range(3))) == []
    assert [each.getMessage() for each in caplog.records] == [
        f"stacks of {NAME}: py-spy is not installed",
        f"stacks of {NAME}: it may not",
    ]
