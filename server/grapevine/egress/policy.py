"""Protects against server-side request forgery (SSRF): requests go to public addresses, webhooks over TLS only.

Settings or options may allow further networks. Without this policy, everybody with an API key could make the server
send requests into its own network. Each attempt resolves the host name anew, every address it resolves to must be
allowed, and the connection goes to the address that was checked, so that a second DNS answer cannot redirect it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from grapevine.domain.urls import UrlError, origin_of
from grapevine.egress.special_addresses import Address, is_special, same_host
from grapevine.errors import GrapevineError

PORTS: Final = {"https": 443, "http": 80}
FIRST_FREE_PORT: Final = 1024
"""Ports below belong to services such as mail, SSH and name servers; none of them expects HTTP."""


class EgressRefused(GrapevineError):
    """The policy forbids this URL or address; the text says why."""


class EgressPolicy:
    """Allows public addresses over HTTPS, and ``networks`` over HTTPS and plain HTTP, on the usual port or a port
    from 1024 on. With ``plain_http`` public addresses may be reached over plain HTTP, too.

    ``remedy`` ends the text about a private address: what can allow it.
    """

    def __init__(
        self,
        networks: Iterable[str] = (),
        *,
        plain_http: bool = False,
        remedy: str = "; GRAPEVINE_WEBHOOK_NETWORKS can allow it",
    ) -> None:
        self._networks = tuple(ip_network(each, strict=False) for each in networks)
        self._plain_http = plain_http
        self._remedy = remedy

    def check(self, url: str) -> None:
        """Raises EgressRefused for a URL that no attempt could ever be sent to."""
        try:
            origin = origin_of(url)
        except UrlError as error:
            raise EgressRefused(str(error)) from None
        parts = urlsplit(url)
        if parts.fragment:
            raise EgressRefused("must not have a fragment")
        if parts.scheme != "https" and not self._networks and not self._plain_http:
            raise EgressRefused("must begin with https://")
        port, usual = parts.port, PORTS[parts.scheme]
        if port is not None and port != usual and port < FIRST_FREE_PORT:
            raise EgressRefused(f"must have port {usual} or one from {FIRST_FREE_PORT} on")
        try:
            address = ip_address(urlsplit(origin).hostname or "")
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
        if any(same_host(address) in network for network in self._networks):
            return
        if is_special(address):
            raise EgressRefused(f"leads to {address}, which is no public address{self._remedy}")
        if scheme != "https" and not self._plain_http:
            raise EgressRefused("must begin with https://")
