"""Where webhooks may go: public addresses over TLS, and what the server's owner allows beside.

Whoever may add an endpoint could otherwise have this server send requests to whatever it can reach. A name is looked up
for each attempt, all its addresses have to be allowed, and the connection goes to the address that was looked at.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from grapevine.domain.urls import UrlError, origin_of
from grapevine.errors import GrapevineError

Address = IPv4Address | IPv6Address
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host and port. Raises OSError."""

_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052


class Refused(GrapevineError):
    """A webhook may not go there; the text says why."""


class Reach:
    """What may be reached: public addresses, and ``networks``, to which plain HTTP is good enough, too."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(ip_network(each, strict=False) for each in networks)

    def check(self, url: str) -> None:
        """Raises Refused for a URL that could never be sent to."""
        try:
            origin_of(url)
        except UrlError as error:
            raise Refused(str(error)) from None
        parts = urlsplit(url)
        if parts.fragment:
            raise Refused("must not have a fragment")
        if parts.scheme != "https" and not self._networks:
            raise Refused("must begin with https://")
        try:
            address = ip_address(parts.hostname or "")
        except ValueError:
            return
        self._check(address, parts.scheme)

    def usable(self, addresses: Sequence[str], scheme: str) -> list[str]:
        """``addresses`` without repeats. Raises Refused when any of them may not be reached."""
        found = [ip_address(each.partition("%")[0]) for each in dict.fromkeys(addresses)]
        for address in found:
            self._check(address, scheme)
        return [str(address) for address in found]

    def _check(self, address: Address, scheme: str) -> None:
        meant = _meant(address)
        if any(meant in network for network in self._networks if _comparable(meant, network)):
            return
        if not meant.is_global or meant.is_multicast:
            raise Refused(f"leads to {address}, which is no public address; GRAPEVINE_WEBHOOK_NETWORKS can allow it")
        if scheme != "https":
            raise Refused("must begin with https://")


async def looked_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system's resolver knows them. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


def _comparable(address: Address, network: IPv4Network | IPv6Network) -> bool:
    return address.version == network.version
