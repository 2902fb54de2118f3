"""`apprise:`, by the real Apprise, to a real server on loopback; and what is said where it is not installed."""

import asyncio
import json
import logging
import socket
import sys
from dataclasses import replace

import pytest

from keeptime.contract.load import load_text
from keeptime.errors import DeliveryError
from keeptime.model.alert import Address, Delivery
from keeptime.tell.receivers.apprise import AppriseReceiver
from keeptime.testing.outbox import FakeOutbox
from keeptime.testing.recorder import Recorder, hang, recording, status
from tests.nobody import nobody_listening
from tests.tell.given import BROKEN, OK, PAGE, Case, contract, tell_of
from tests.tell.sending import seconds

CANARY = "canary-77aa"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what Apprise imports


def deliveries(*cases: Case) -> list[Delivery]:
    outbox = FakeOutbox()
    for message in tell_of(contract(Address("checkout", "apprise", "env:APPRISE_URL")), cases):
        outbox.put(message, seconds())
    return [row for row, _ in outbox.waiting_rows]


async def sent(*rows: Delivery, timeout: float = 20.0) -> list[str]:
    receiver = AppriseReceiver(timeout)
    try:
        return [await receiver.send(row, seconds()) for row in rows]
    finally:
        await receiver.close()


def address_of(recorder: Recorder) -> str:
    return recorder.url.replace("http://", "json://")


def test_a_service_of_apprise_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with recording(otherwise=status(200)) as hook:
            monkeypatch.setenv("APPRISE_URL", address_of(hook))
            assert await sent(*deliveries(PAGE, BROKEN, OK)) == ["taken"] * 3
            said = [json.loads(each.body) for each in hook.requests]
            assert [each["type"] for each in said] == ["warning", "failure", "success"]
            assert [each["title"] for each in said] == [
                "sentiment-latency/p99 is at risk (page)",
                "sentiment-latency/p99 is broken (page)",
                "sentiment-latency/p99 holds again",
            ]
            assert "Promised: 99% of requests under 500ms over 28d" in said[0]["message"]
            assert "runbook: https://wiki.example/sentiment" in said[0]["message"]

    asyncio.run(story())


def failing(
    monkeypatch: pytest.MonkeyPatch, url: str, timeout: float = 20.0, allow: tuple[str, ...] = ()
) -> DeliveryError:
    monkeypatch.setenv("APPRISE_URL", url)
    (row,) = deliveries(PAGE)
    row = replace(row, address=replace(row.address, allow=allow))
    with pytest.raises(DeliveryError) as error:
        asyncio.run(sent(row, timeout=timeout))
    assert CANARY not in str(error.value)
    return error.value


def test_what_is_not_taken_is_tried_again_and_no_secret_is_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        async with recording(otherwise=status(500)) as hook:
            monkeypatch.setenv("APPRISE_URL", address_of(hook).replace("://", f"://user:{CANARY}@"))
            with pytest.raises(DeliveryError, match="the service did not take it") as error:
                await sent(*deliveries(PAGE))
            assert error.value.retry
            assert CANARY not in str(error.value)

    with caplog.at_level(logging.DEBUG):
        asyncio.run(story())
    assert CANARY not in caplog.text
    assert "apprise" not in {each.name for each in caplog.records}
    with nobody_listening() as port:
        error = failing(monkeypatch, f"json://{CANARY}:pw@127.0.0.1:{port}/")
    assert str(error) == "the service did not take it; Apprise does not say why"


def test_a_service_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with recording(otherwise=hang()) as hook:
            monkeypatch.setenv("APPRISE_URL", f"{address_of(hook)}?rto=1")
            with pytest.raises(DeliveryError, match=r"no answer within 0\.3 s"):
                await sent(*deliveries(PAGE), timeout=0.3)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"bogus://{CANARY}", "its address is no URL of a service that Apprise knows"),
        (f"json://user:{CANARY}@169.254.169.254/latest", "metadata"),
        ("json://0x7f000001/", "odd spelling"),
    ],
)
def test_where_it_must_not_go_it_does_not_go(monkeypatch: pytest.MonkeyPatch, url: str, said: str) -> None:
    assert said in str(failing(monkeypatch, url))


def test_a_name_inside_needs_a_line_in_the_contract(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands for two addresses, and Apprise might take either."""

    async def resolve(_: object, __: str, ___: int = 0, ____: int = 0) -> list[dict[str, str]]:
        return [{"host": "93.184.216.34"}, {"host": "10.1.2.3"}]

    monkeypatch.setattr("keeptime.tell.receivers.names.Names.resolve", resolve)
    error = failing(monkeypatch, "json://inside.example/")
    assert "10.1.2.3" in str(error)


def test_a_name_that_means_something_else_when_apprise_asks_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rebinding: the check is told of a public address, and Apprise of one inside."""

    async def resolve(_: object, __: str, ___: int = 0, ____: int = 0) -> list[dict[str, str]]:
        return [{"host": "93.184.216.34"}]

    def inside(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 80))]

    monkeypatch.setattr("keeptime.tell.receivers.names.Names.resolve", resolve)
    monkeypatch.setattr(socket, "getaddrinfo", inside)
    assert "10.1.2.3, a private address" in str(failing(monkeypatch, "json://inside.example/"))


def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with recording() as elsewhere, recording(otherwise=status(307, location=elsewhere.url)) as hook:
            monkeypatch.setenv("APPRISE_URL", address_of(hook))
            with pytest.raises(DeliveryError, match="the service did not take it"):
                await sent(*deliveries(PAGE))
            assert (len(hook.requests), elsewhere.requests) == (1, [])

    asyncio.run(story())


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with recording() as proxy, recording(otherwise=status(200)) as hook:
            for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv("APPRISE_URL", address_of(hook))
            assert await sent(*deliveries(PAGE)) == ["taken"]
            assert (proxy.requests, len(hook.requests)) == ([], 1)

    asyncio.run(story())


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    error = failing(monkeypatch, "json://127.0.0.1/")
    assert (
        str(error)
        == "apprise is not installed here; install keeptime with its extra: pip install 'keeptime[apprise]'"
    )
    assert not error.retry


def test_its_url_is_given_by_reference_alone() -> None:
    text = """\
contract: sentiment
endpoint: {url: "http://127.0.0.1:5000/"}
observe: [{probe: 10s}]
objectives: [99% of requests under 500ms over 28d]
operators: {tell: ["apprise:tgram://hunter2/chat"], ping: env:PING}
"""
    (problem,) = load_text(text.encode(), "c.yaml").problems
    assert problem.code == "literal-secret"
    assert "hunter2" not in str(problem)
