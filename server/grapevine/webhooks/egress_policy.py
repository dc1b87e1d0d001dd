"""Protects against server-side request forgery (SSRF): webhooks go to public addresses over TLS only.

The settings may allow further networks. Without this policy, everybody with an admin key could make the server send
requests into its own network. Each attempt resolves the host name anew, every address it resolves to must be allowed,
and the connection goes to the address that was checked, so that a second DNS answer cannot redirect it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from grapevine.domain.urls import UrlError, origin_of
from grapevine.errors import GrapevineError

Address = IPv4Address | IPv6Address
HostLookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""Resolves a host and port to addresses. Raises OSError."""

_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052


class EgressRefused(GrapevineError):
    """The policy forbids this URL or address; the text says why."""


class EgressPolicy:
    """Allows public addresses over HTTPS, and ``networks`` over HTTPS and plain HTTP."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(ip_network(each, strict=False) for each in networks)

    def check(self, url: str) -> None:
        """Raises EgressRefused for a URL that no attempt could ever be sent to."""
        try:
            origin_of(url)
        except UrlError as error:
            raise EgressRefused(str(error)) from None
        parts = urlsplit(url)
        if parts.fragment:
            raise EgressRefused("must not have a fragment")
        if parts.scheme != "https" and not self._networks:
            raise EgressRefused("must begin with https://")
        try:
            address = ip_address(parts.hostname or "")
        except ValueError:
            return
        self._check(address, parts.scheme)

    def usable(self, addresses: Sequence[str], scheme: str) -> list[str]:
        """Returns ``addresses`` without repeats. Raises EgressRefused when one of them is not allowed."""
        found = [ip_address(each.partition("%")[0]) for each in dict.fromkeys(addresses)]
        for address in found:
            self._check(address, scheme)
        return [str(address) for address in found]

    def _check(self, address: Address, scheme: str) -> None:
        target = _embedded_ipv4(address)
        if any(target in network for network in self._networks if network.version == target.version):
            return
        if not target.is_global or target.is_multicast:
            raise EgressRefused(
                f"leads to {address}, which is no public address; GRAPEVINE_WEBHOOK_NETWORKS can allow it"
            )
        if scheme != "https":
            raise EgressRefused("must begin with https://")


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """Returns the addresses of a host by the system's resolver. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _embedded_ipv4(address: Address) -> Address:
    """Returns the IPv4 address inside a mapped, 6to4, Teredo or NAT64 address; any other address as it is."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)
