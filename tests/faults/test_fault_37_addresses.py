"""Fault 37: rebinding, odd spellings, IPv4 in IPv6, CGNAT and metadata addresses → no TCP connection is opened.

Tested at the resolver, without connecting: names mean what a script says, and every connection that a socket of
this process begins is noted.
"""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from keeptime.contract.probed import Endpoint, Probe
from keeptime.contract.sources import CounterPair
from keeptime.contract.terms import PrometheusSource
from keeptime.errors import DeliveryError, ProbeError, SourceError
from keeptime.model.alert import Address
from keeptime.model.reach import Reach, reach_of
from keeptime.model.sample import Failure
from keeptime.observe.kernel import address_of
from keeptime.observe.once import probe_once
from keeptime.observe.series.api import PrometheusApi
from keeptime.tell.receivers.email import EmailReceiver
from keeptime.tell.receivers.http import Poster
from keeptime.tell.receivers.registry import KINDS
from keeptime.tell.trial import trial
from keeptime.testing.recorder import recording
from tests.observe.test_engine import contract as probed
from tests.observe.test_engine import running
from tests.tell.given import NOW, contract
from tests.tell.resolving import Scripted, connections

EMPTY = CounterPair()
NAMED = {
    "loopback": "127.0.0.1",
    "loopback by IPv6": "::1",
    "private": "10.1.2.3",
    "unique local": "fd12:3456::1",
    "CGNAT": "100.64.7.7",
    "link-local": "169.254.7.7",
    "v4-mapped": "::ffff:10.0.0.1",
    "v4-mapped metadata": "::ffff:169.254.169.254",
    "NAT64": "64:ff9b::10.0.0.1",
    "local NAT64": "64:ff9b:1::10.0.0.1",
    "6to4": "2002:a00:1::1",
    "Teredo": "2001:0:5db8:d822::f5ff:fffe",
    "metadata": "169.254.169.254",
    "metadata by IPv6": "fd00:ec2::254",
    "ECS": "169.254.170.2",
    "Alibaba": "100.100.100.200",
    "Azure": "168.63.129.16",
    "this network": "0.0.0.0",
    "unspecified": "::",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
}
SPELT = [
    "0x7f000001",
    "127.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "[64:ff9b::a9fe:a9fe]",
    "0.0.0.0",
    "168.63.129.16",
    "１２７.0.0.1",
]
REFUSED = ("odd spelling", "never connects to", "addresses: {allow", "no URL")
TARGETS: Mapping[str, Callable[[str], Address]] = {
    "webhook": lambda host: Address("checkout", "webhook", "env:PLACE"),
    "alertmanager": lambda host: Address("operators", "alertmanager", "env:PLACE"),
    "slack": lambda host: Address("operators", "slack", "env:PLACE"),
    "pagerduty": lambda host: Address("operators", "pagerduty", "env:KEY", options=(("url", "env:PLACE"),)),
    "email": lambda host: Address(
        "operators",
        "email",
        "a@b.example",
        options=(("from", "a@b.example"), ("server", f"{host}:25"), ("tls", "none")),
    ),
}


async def refused(names: Scripted, reach: Reach = Reach()) -> str:  # noqa: B008 - frozen
    """The error of a POST and of a mail to a name that these names know."""
    poster, mail = Poster(2.0, names), EmailReceiver(2.0, names)
    try:
        with pytest.raises(DeliveryError) as error:
            await poster.post("http://hook.example:9/", b"{}", {}, NOW, reach)
        address = TARGETS["email"]("hook.example")
        with pytest.raises(DeliveryError) as by_mail:
            await mail.send(trial(contract(address), address, NOW), NOW)
        assert str(error.value) == str(by_mail.value)
        return str(error.value)
    finally:
        await poster.close()
        await mail.close()


@pytest.mark.parametrize("address", NAMED.values(), ids=NAMED.keys())
def test_fault_37_a_name_that_stands_for_such_an_address_is_not_connected_to(address: str) -> None:
    with connections() as begun:
        error = asyncio.run(refused(Scripted([[address]])))
    assert begun == []
    assert "addresses: {allow: [" in error or "never connects to" in error


@pytest.mark.parametrize("kind", TARGETS)
def test_fault_37_an_odd_spelling_is_not_connected_to(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "r0uting")

    async def story() -> None:
        receiver = KINDS[kind]()
        for host in SPELT:
            monkeypatch.setenv("PLACE", f"http://{host}:9/")
            address = TARGETS[kind](host)
            with pytest.raises(DeliveryError) as error:
                await receiver.send(trial(contract(address), address, NOW), NOW)
            said = str(error.value)
            assert any(words in said for words in REFUSED), f"{host}: {said}"
        await receiver.close()

    with connections() as begun:
        asyncio.run(story())
    assert begun == []


def test_fault_37_a_name_that_changes_its_mind_is_connected_to_where_it_was_checked() -> None:
    """Rebinding: the answer that is checked is the one that is used, and the next attempt checks anew."""

    async def story() -> None:
        names = Scripted([["127.0.0.1"], ["169.254.169.254"]])
        async with recording() as hook:
            poster = Poster(2.0, names)
            url = hook.url.replace("127.0.0.1", "hook.example")
            assert await poster.post(url, b"{}", {}, NOW, reach_of(("127.0.0.0/8",))) == "204"
            assert names.asked == ["hook.example"]
            with pytest.raises(DeliveryError, match="metadata"):
                await poster.post(url, b"{}", {}, NOW, reach_of(("127.0.0.0/8", "169.254.0.0/16")))
            assert len(hook.requests) == 1
            await poster.close()

    asyncio.run(story())


def test_fault_37_of_several_addresses_only_those_are_used_that_may_be() -> None:
    async def story() -> None:
        names = Scripted([["169.254.169.254", "10.0.0.1", "127.0.0.1"]])
        async with recording() as hook:
            poster = Poster(2.0, names)
            url = hook.url.replace("127.0.0.1", "hook.example")
            with connections() as begun:
                assert await poster.post(url, b"{}", {}, NOW, reach_of(("127.0.0.0/8",))) == "204"
            assert [each[0][0] for each in begun] == ["127.0.0.1"]  # type: ignore[index]
            await poster.close()

    asyncio.run(story())


def test_fault_37_what_one_contract_may_reach_another_may_not() -> None:
    async def story() -> None:
        async with recording() as hook:
            poster = Poster(2.0, Scripted([["127.0.0.1"]]))
            url = hook.url.replace("127.0.0.1", "hook.example")
            assert await poster.post(url, b"{}", {}, NOW, reach_of(("127.0.0.0/8",))) == "204"
            with pytest.raises(DeliveryError, match=r"addresses: \{allow: \['127.0.0.0/8'\]\}"):
                await poster.post(url, b"{}", {}, NOW, Reach())
            await poster.close()

    asyncio.run(story())


class Saying:
    """The prober's names: every one means these addresses."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    def lookup(self, host: str, port: int, found: Callable[..., None]) -> None:
        found([address_of(10 if ":" in each else 2, each, port) for each in self._addresses], "")

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "0.0.0.0", "224.0.0.1"]
)
def test_fault_37_a_probe_never_connects_to_metadata(address: str) -> None:
    one = probed("http://model.example/", every=0.05)
    with running([one], names=lambda _: Saying(address)) as (_, outcomes):
        outcomes.wait(lambda out: len(out.samples) >= 1)
    (first, *_) = outcomes.samples
    assert first.failure is Failure.DNS
    assert "never connects to" in first.detail
    assert first.phases.connect == 0


@pytest.mark.parametrize("host", ["169.254.169.254", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]"])
def test_fault_37_a_probe_of_such_a_literal_is_not_attempted(host: str) -> None:
    with pytest.raises(ProbeError, match=r"odd spelling|never connects to"):
        probe_once(Endpoint(f"http://{host}/"), Probe(10.0, 1.0), contract="c")


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("http://prometheus.example", "169.254.169.254"),
        ("http://prometheus.example", "fd00:ec2::254"),
        ("http://169.254.169.254", ""),
        ("http://0x7f000001", ""),
    ],
)
def test_fault_37_a_prometheus_is_never_read_at_a_metadata_address(url: str, answer: str) -> None:
    async def story() -> None:
        api = PrometheusApi(PrometheusSource(EMPTY, url, timeout=1.0), Scripted([[answer]]))
        with pytest.raises(SourceError, match=r"odd spelling|never connects to"):
            await api.instant("up", 1.0)
        await api.close()

    with connections() as begun:
        asyncio.run(story())
    assert begun == []
