"""`log:` and the register of receivers."""

import asyncio
import os
from pathlib import Path

import pytest

from keeptime.errors import DeliveryError
from keeptime.model.alert import Address, Delivery
from keeptime.tell.receivers.log import LogReceiver, append
from keeptime.tell.receivers.registry import KINDS, Receivers
from keeptime.testing.outbox import FakeOutbox
from tests.tell.given import NOW, OK, PAGE, contract, tell_of


def deliveries(target: str) -> list[Delivery]:
    outbox = FakeOutbox()
    for message in tell_of(contract(Address("checkout", "log", target)), [PAGE, OK]):
        outbox.put(message, NOW)
    return [row for row, _ in outbox.waiting_rows]


def test_a_line_for_each_message_in_a_file(tmp_path: Path) -> None:
    rows = deliveries(str(tmp_path / "told.jsonl"))
    for row in rows:
        assert asyncio.run(LogReceiver().send(row, NOW)) == "written"
    assert (tmp_path / "told.jsonl").read_bytes().splitlines() == [row.body for row in rows]


def test_a_line_on_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    (row, _) = deliveries("")
    asyncio.run(LogReceiver().send(row, NOW))
    assert capfd.readouterr().err == row.body.decode() + "\n"


def test_after_a_broken_write_the_next_line_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "told.jsonl"
    file.write_bytes(b'{"cut o')
    append(str(file), b"{}")
    assert file.read_bytes() == b'{"cut o\n{}\n'


@pytest.mark.parametrize("path", ["", "no/such/folder/told.jsonl"])
def test_what_cannot_be_written_is_a_delivery_that_failed(tmp_path: Path, path: str) -> None:
    (row, _) = deliveries(str(tmp_path / path) if path else str(tmp_path))
    with pytest.raises(DeliveryError, match="cannot be written") as error:
        asyncio.run(LogReceiver().send(row, NOW))
    assert error.value.retry


def test_a_pipe_that_nobody_reads_fails_at_once_and_one_that_is_read_works(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError):
        append(str(pipe), b"{}")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    append(str(pipe), b"{}")
    assert os.read(reader, 100) == b"{}\n"
    os.close(reader)


def test_a_kind_that_there_is_not() -> None:
    with pytest.raises(
        DeliveryError,
        match="'pigeon'; expected one of alertmanager, apprise, email, log, pagerduty, slack, webhook",
    ) as error:
        Receivers()("pigeon")
    assert not error.value.retry


def test_each_kind_is_built_once() -> None:
    receivers = Receivers()
    assert all(receivers(kind) is receivers(kind) for kind in KINDS)
