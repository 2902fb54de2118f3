"""IPv4 addresses that IPv6 addresses carry: where a packet to such an address may end up.

Guarantees: every carrier that the standards know is looked into; an address that carries none gives nothing.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network

from keeptime.model.ranges import Address

_LAST_32 = (
    IPv6Network("::ffff:0:0/96"),  # IPv4-mapped, RFC 4291
    IPv6Network("::/96"),  # IPv4-compatible, RFC 4291
    IPv6Network("::ffff:0:0:0/96"),  # IPv4-translated, RFC 2765
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052
)
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215
_SIX_TO_FOUR = IPv6Network("2002::/16")  # RFC 3056
_TEREDO = IPv6Network("2001::/32")  # RFC 4380
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # RFC 5214: the first half of the interface identifier
_PLAIN = (IPv6Address("::"), IPv6Address("::1"))


def carried(address: Address) -> tuple[IPv4Address, ...]:
    """All IPv4 addresses that this one may stand for."""
    if isinstance(address, IPv4Address) or address in _PLAIN:
        return ()
    return tuple(IPv4Address(number & 0xFFFF_FFFF) for number in _numbers(address))


def _numbers(address: IPv6Address) -> Iterator[int]:
    bits = int(address)
    if any(address in network for network in _LAST_32):
        yield bits
    if address in _LOCAL_NAT64:
        yield from _embedded(bits)
    if address in _SIX_TO_FOUR:
        yield bits >> 80
    if address in _TEREDO:
        yield bits >> 64  # the server
        yield ~bits  # the client, written inverted
    if (bits >> 32) & 0xFFFF_FFFF in _ISATAP:
        yield bits


def _embedded(bits: int) -> Iterator[int]:
    """By RFC 6052 §2.2, for whichever prefix length the operator has chosen; bits 64 to 71 are left out.

    0.x.y.z is where another length has its zeros.
    """
    high, low = bits >> 64, bits & ((1 << 56) - 1)
    found = (
        (high & 0xFFFF) << 16 | low >> 40,  # /48
        (high & 0xFF) << 24 | low >> 32,  # /56
        low >> 24,  # /64
        bits & 0xFFFF_FFFF,  # /96
    )
    yield from (number for number in found if number >> 24)
