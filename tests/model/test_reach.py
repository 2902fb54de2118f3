"""Which addresses are connected to: every spelling, every carrier, every range."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeptime.model.embedded import carried
from keeptime.model.ranges import INSIDE, METADATA, NOWHERE
from keeptime.model.reach import OWN, Reach, host_refusal, reach_of

NOTHING = Reach()
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::"]
)
def test_the_internet_needs_no_line(address: str) -> None:
    assert NOTHING.refusal("hook.example", address) == ""


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("127.0.0.1", "127.0.0.0/8"),
        ("10.96.0.1", "10.0.0.0/8"),
        ("172.17.0.2", "172.16.0.0/12"),
        ("192.168.1.1", "192.168.0.0/16"),
        ("100.64.0.1", "100.64.0.0/10"),
        ("169.254.1.1", "169.254.0.0/16"),
        ("fd12::1", "fc00::/7"),
        ("::1", "::1/128"),
        ("fe80::1%eth0", "fe80::/10"),
        ("::ffff:10.0.0.1", "10.0.0.0/8"),
        ("64:ff9b::10.0.0.1", "10.0.0.0/8"),
        ("2002:7f00:1::1", "127.0.0.0/8"),
        ("2001:0:808:808::80ff:fffe", "127.0.0.0/8"),
        ("2001:db8::5efe:10.0.0.1", "10.0.0.0/8"),
    ],
)
def test_a_name_that_leads_inside_is_refused_with_the_line_that_allows_it(address: str, line: str) -> None:
    refusal = NOTHING.refusal("hook.example", address)
    assert f"addresses: {{allow: ['{line}']}}" in refusal
    assert reach_of((line,)).refusal("hook.example", address) == ""
    assert OWN.refusal("model.example", address) == ""


@pytest.mark.parametrize("address", [str(each) for each in METADATA])
def test_metadata_is_refused_whoever_wishes_it(address: str) -> None:
    everything = reach_of(tuple(str(each.network) for each in INSIDE))
    for host in ("hook.example", "localhost", address):
        assert "metadata" in everything.refusal(host, address)
    assert "metadata" in host_refusal(address)


@pytest.mark.parametrize("carrier", ["::ffff:{}", "64:ff9b::{}", "::{}", "64:ff9b:1::{}"])
def test_metadata_inside_another_address_is_metadata(carrier: str) -> None:
    address = str(IPv6Address(carrier.format("169.254.169.254")))
    assert "metadata" in OWN.refusal("hook.example", address)
    assert host_refusal(address)


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1"]
)
def test_what_is_no_host_is_never_connected_to(address: str) -> None:
    for host in ("hook.example", address):
        assert "never connects" in OWN.refusal(host, address)
    assert "never connects" in host_refusal(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "fd12::1", "192.168.0.1"])
def test_what_is_written_out_is_wished(address: str) -> None:
    assert NOTHING.refusal(address, address) == ""
    assert host_refusal(address) == ""


def test_localhost_is_loopback_and_nothing_else() -> None:
    assert NOTHING.refusal("localhost", "127.0.0.1") == NOTHING.refusal("db.localhost", "::1") == ""
    assert NOTHING.refusal("localhost", "10.0.0.1") != ""
    assert NOTHING.refusal("notlocalhost", "127.0.0.1") != ""


@pytest.mark.parametrize(
    ("host", "usual"),
    [
        ("0x7f000001", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("0x7f.0.0.0x1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("::ffff:127.0.0.1", "127.0.0.1"),
        ("::ffff:7f00:1", "127.0.0.1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("1.2.3.4.5", ""),
        ("999.1.1.1", ""),
    ],
)
def test_an_odd_spelling_is_refused_and_the_usual_one_named(host: str, usual: str) -> None:
    refusal = host_refusal(host)
    assert "odd spelling" in refusal
    assert usual in refusal


def test_names_are_no_odd_spellings() -> None:
    for host in (
        "hook.example",
        "alertmanager",
        "web-1",
        "a.b2",
        "xn--bcher-kva.example",
        "10.example",
        "0x.example",
    ):
        assert host_refusal(host) == ""


@given(ADDRESSES)
def test_what_a_host_is_given_is_wholly_public_or_allowed(address: str) -> None:
    refusal = NOTHING.refusal("hook.example", address)
    said = ip_address(address)
    whole = (said, *carried(said))
    closed = [each.network for each in (*INSIDE, *NOWHERE)]
    inside = any(one in network for one in whole for network in closed if network.version == one.version)
    assert bool(refusal) == (inside or any(one in METADATA for one in whole))
    if refusal == "":
        assert OWN.refusal("hook.example", address) == ""


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_gets_an_answer(host: str, address: str) -> None:
    assert isinstance(host_refusal(host), str)
    assert NOTHING.refusal(host, address) != "" or ip_address(address.partition("%")[0])


@given(st.ip_addresses(v=4))
def test_nothing_that_the_system_reads_as_an_address_passes_for_a_name(address: IPv4Address) -> None:
    number = int(address)
    for host in (str(number), hex(number), f"{number >> 24}.{number & 0xFFFFFF}", f"0{number:o}"):
        if socket.inet_aton(host) == address.packed:
            assert host_refusal(host)


def test_the_ranges_are_apart_and_metadata_lies_where_it_matters() -> None:
    for each in INSIDE:
        others = [one.network for one in NOWHERE if one.network.version == each.network.version]
        assert not any(each.network.overlaps(other) for other in others)  # type: ignore[arg-type]
    assert ip_address("169.254.169.254") in METADATA
    assert ip_network("10.0.0.0/8") in {each.network for each in INSIDE}
