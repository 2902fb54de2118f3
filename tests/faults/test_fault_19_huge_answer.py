"""Fault 19: an answer of 1 GB → any receiver reads at most 64 KiB of it; a probe reads what its terms say."""

import asyncio

import pytest

from keeptime.contract.probed import Endpoint, Expect, Probe
from keeptime.errors import DeliveryError
from keeptime.model.sample import Failure
from keeptime.observe.once import probe_once
from keeptime.tell.receivers.registry import KINDS
from keeptime.tell.trial import trial
from keeptime.testing.recorder import Answer, recording
from tests.faults.test_fault_17_redirect import BY_HTTP
from tests.tell.given import NOW, contract

GIB = 1024**3
BUFFERS = 16 * 1024**2
"""What kernels hold on both sides of a connection, and then some."""


def huge(code: int, served: list[int]) -> Answer:
    """An answer of 1 GiB; `served` is how much of it could be written."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {code} Said\r\ncontent-length: {GIB}\r\n\r\n".encode())
        while sum(served) < GIB:
            writer.write(b"x" * 65_536)
            served.append(65_536)
            await writer.drain()

    return answer


@pytest.mark.parametrize("code", [200, 500])
@pytest.mark.parametrize("kind", BY_HTTP)
def test_fault_19_no_receiver_reads_a_huge_answer(kind: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "r0uting")
    served: list[int] = []

    async def story() -> str:
        async with recording([huge(code, served)]) as place:
            monkeypatch.setenv("PLACE", place.url)
            receiver = KINDS[kind]()
            try:
                return await receiver.send(trial(contract(BY_HTTP[kind]), BY_HTTP[kind], NOW), NOW)
            except DeliveryError as error:
                return str(error)
            finally:
                await receiver.close()

    said = asyncio.run(story())
    assert said == "200" if code == 200 else said.startswith("it answered 500")
    assert sum(served) < BUFFERS


def test_fault_19_a_probe_reads_no_more_than_its_contract_says() -> None:
    served: list[int] = []

    async def story() -> None:
        async with recording([huge(200, served)]) as place:
            where = Endpoint(place.url, expect=Expect(max_body=65_536))
            sample = await asyncio.to_thread(probe_once, where, Probe(10.0, 5.0), contract="c")
            assert sample.failure is not None
            assert sample.failure is not Failure.TIMEOUT

    asyncio.run(story())
    assert sum(served) < BUFFERS
