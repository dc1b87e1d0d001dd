"""Networks: which addresses count as one place on the internet, for limits and for hashes.

An IPv4 address is a household or an office. An IPv6 customer gets a /64 for one network and up to a /48 for all of
them (RFC 6177), so a stranger has 65,536 networks at the price of one: what is bounded by network is bounded by wide
network, too.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

_CACHED: Final = 8_192
_NETWORK_BITS: Final = 64
_WIDE_BITS: Final = 48

WIDE_SHIFT: Final = 24
"""Bits of a network's hash that tell it from the others of its wide network; the hash of that stands above them."""


@lru_cache(maxsize=_CACHED)
def network_of(address: str) -> str:
    """Returns the network of an address: itself, or an IPv6 address cut to /64; an unreadable one as it is."""
    return _cut(address, _NETWORK_BITS)


@lru_cache(maxsize=_CACHED)
def wide_network_of(address: str) -> str:
    """Returns the wide network of an address: itself, or an IPv6 address cut to /48; an unreadable one as it is."""
    return _cut(address, _WIDE_BITS)


def _cut(address: str, bits: int) -> str:
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        rest = 128 - bits
        return str(IPv6Address(int(ip) >> rest << rest))
    return str(ip)
