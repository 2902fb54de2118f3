"""A consumer's end with its real inbox, on the loop of an outage: what it took, what it was told is missing.

async with hearing() as ear:
    monkeypatch.setenv("HOOK", ear.url)
    ear.instead = status(410)            # it answers so, and takes nothing
    ear.loses = 2                        # it takes, and the next two answers are lost
    ear.refuses = "broken"               # it takes anything but this topic (400)
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from keeptime.consumer import Inbox, Received, Verifier
from keeptime.testing.recorder import Answer, Recorder, raw, recording, status


@dataclass
class Ear:
    """`got`: each message once, as the inbox handed it over. `answers`: what the inbox said to each request."""

    recorder: Recorder | None = None
    instead: Answer | None = None
    loses: int = 0
    refuses: str = ""
    got: list[Received] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.inbox = Inbox(Verifier([], unsigned=True), self.got.append)

    @property
    def url(self) -> str:
        return self._recorder().url

    def requests(self) -> list[tuple[str, bytes]]:
        """(id, body) of all that came, in order, taken or not."""
        return [(each.headers["webhook-id"], each.body) for each in self._recorder().requests]

    def stamps(self) -> list[str]:
        return [each.headers["webhook-timestamp"] for each in self._recorder().requests]

    def topics(self) -> list[str]:
        return [each.type.rpartition(".")[2] for each in self.got]

    def gaps(self) -> list[tuple[int | None, tuple[str, ...]] | None]:
        """Of each message that was taken: how many are missing before it and which the sender gave up."""
        assert all(each.gap is None or each.gap.certain for each in self.got)
        return [None if each.gap is None else (each.gap.missing, each.gap.declared) for each in self.got]

    async def answer(self, writer: asyncio.StreamWriter) -> None:
        request = self._recorder().requests[-1]
        if self.instead is not None:
            return await self.instead(writer)
        if self.refuses and json.loads(request.body)["type"].endswith(self.refuses):
            return await status(400)(writer)
        given = self.inbox.take(request.headers, request.body, float(request.headers["webhook-timestamp"]))
        self.answers.append(given.text)
        if self.loses:
            self.loses -= 1
            return await raw(b"")(writer)
        return await status(given.status)(writer)

    def _recorder(self) -> Recorder:
        assert self.recorder is not None
        return self.recorder


@asynccontextmanager
async def hearing(ear: Ear | None = None) -> AsyncIterator[Ear]:
    """It listens while the block runs. `ear`: one that has listened before."""
    ear = ear or Ear()
    async with recording(otherwise=ear.answer) as ear.recorder:
        yield ear
