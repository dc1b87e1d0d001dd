"""Which addresses are no public host: a list of our own, since that of ``ipaddress`` differs between Python's releases.

The ranges of IANA's registries of special-purpose addresses as of 2026-11 (iana-ipv4-special-registry and
iana-ipv6-special-registry, those reachable from everywhere among them), multicast, addresses with an IPv4 address in
them, and what clouds serve to their own machines alone.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

Address = IPv4Address | IPv6Address

_IPV4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers' NAT; Alibaba's metadata among them
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's platform
            "169.254.0.0/16",  # link-local; the metadata of most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_IPV6_PUBLIC: Final = IPv6Network("2000::/3")
"""Everything else is special: loopback, mapped, compatible and translated IPv4, discarding, fc00::/7 with AWS's
metadata, fe80::/10, fec0::/10, 5f00::/16, multicast, or not given to anybody."""
_IPV6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, benchmarks, AMT, AS112, ORCHID, drone tags
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052; the local one, 64:ff9b:1::/48, is special
_ISATAP: Final = (0x5EFE, 0x0200_5EFE)  # RFC 5214: the upper half of the interface's identifier


def is_special(address: Address) -> bool:
    """Returns whether an address is no public host. One behind NAT64 is as special as the IPv4 address inside it."""
    if isinstance(address, IPv4Address):
        return any(address in network for network in _IPV4)
    if address in _NAT64:
        return is_special(_last_32_bits(address))
    if address not in _IPV6_PUBLIC or any(address in network for network in _IPV6):
        return True
    return int(address) >> 32 & 0xFFFF_FFFF in _ISATAP and is_special(_last_32_bits(address))


def same_host(address: Address) -> Address:
    """Returns the IPv4 address that a mapped or NAT64 address stands for; any other address as it is."""
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _NAT64):
        return _last_32_bits(address)
    return address


def _last_32_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)
