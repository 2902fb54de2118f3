"""Ranges of IP addresses that are not of the public Internet, and addresses that serve secrets to whoever asks.

Guarantees: data alone, each with its source. Ranges are of IANA's registries of special-purpose addresses (RFC 6890
and those after it) as of 2025; metadata addresses are of their clouds' own documentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from types import MappingProxyType

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Range:
    """A network and what an address in it is, as "a private address"."""

    network: Network
    noun: str


def _ranges(table: Mapping[str, str]) -> tuple[Range, ...]:
    return tuple(Range(ip_network(network), noun) for network, noun in table.items())


INSIDE = _ranges(
    {
        "127.0.0.0/8": "a loopback address",  # RFC 1122
        "::1/128": "a loopback address",  # RFC 4291
        "10.0.0.0/8": "a private address",  # RFC 1918
        "172.16.0.0/12": "a private address",
        "192.168.0.0/16": "a private address",
        "fc00::/7": "a private address",  # unique local, RFC 4193
        "fec0::/10": "a private address",  # site-local, RFC 3879: deprecated, and still routed here and there
        "100.64.0.0/10": "an address shared behind a carrier's NAT",  # RFC 6598
        "169.254.0.0/16": "a link-local address",  # RFC 3927
        "fe80::/10": "a link-local address",  # RFC 4291
        "192.0.0.0/24": "an address of a protocol's own",  # RFC 6890
        "198.18.0.0/15": "an address for benchmarks",  # RFC 2544
        "64:ff9b:1::/48": "an address of a local NAT64",  # RFC 8215
    }
)
"""Where a name may lead only if the contract allows it."""

NOWHERE = _ranges(
    {
        "0.0.0.0/8": "no address of a host",  # RFC 791: "this network"; Linux takes 0.0.0.0 for loopback
        "::/128": "no address of a host",  # RFC 4291; the same
        "224.0.0.0/4": "a multicast address",  # RFC 5771
        "ff00::/8": "a multicast address",  # RFC 4291
        "240.0.0.0/4": "a reserved address",  # RFC 1112; 255.255.255.255 is broadcast
        "100::/64": "an address that discards",  # RFC 6666
    }
)
"""Where no connection is made, whoever wishes it."""

METADATA: Mapping[Address, str] = MappingProxyType(
    {
        ip_address(address): source
        for address, source in {
            "169.254.169.254": "AWS, Azure, Google, Oracle, OpenStack, DigitalOcean, Hetzner: instance metadata",
            "fd00:ec2::254": "AWS: EC2 metadata by IPv6 (docs.aws.amazon.com, instancedata-data-retrieval)",
            "169.254.170.2": "AWS: ECS task metadata and credentials (docs.aws.amazon.com, task-iam-roles)",
            "169.254.170.23": "AWS: EKS Pod Identity agent (docs.aws.amazon.com, pod-id-how-it-works)",
            "fd00:ec2::23": "AWS: EKS Pod Identity agent by IPv6",
            "168.63.129.16": "Azure: WireServer (learn.microsoft.com, what-is-ip-address-168-63-129-16)",
            "fd20:ce::254": "Google: Compute Engine metadata by IPv6 (cloud.google.com, querying-metadata)",
            "fd00:c1::a9fe:a9fe": "Oracle: instance metadata by IPv6 (docs.oracle.com, gettingmetadata)",
            "192.0.0.192": "Oracle: Cloud Infrastructure Classic metadata",
            "fe80::a9fe:a9fe": "OpenStack: metadata by IPv6 (docs.openstack.org, nova metadata service)",
            "100.100.100.200": "Alibaba: ECS instance metadata (alibabacloud.com, view-instance-metadata)",
            "169.254.0.23": "Tencent: CVM metadata (metadata.tencentyun.com)",
            "169.254.42.42": "Scaleway: instance metadata (scaleway.com, instance user-data)",
            "fd00:42::42": "Scaleway: instance metadata by IPv6",
        }.items()
    }
)
"""Addresses that hand out credentials of the machine: denied always."""
