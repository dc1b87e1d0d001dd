"""Which host a request goes to, in one spelling: what is bounded by host is bounded however its address is written."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from grapevine.domain.urls import UrlError, origin_of
from grapevine.egress.special_addresses import same_host


def host_of(url: str) -> str:
    """Returns the host of an http(s) URL: a name in lower case, as ``xn--…`` and without the dot of the root, or an
    address in its usual form, an IPv4 one also where IPv6 wraps it. Empty where the URL names none."""
    try:
        host = (urlsplit(origin_of(url)).hostname or "").rstrip(".")
    except UrlError:
        return ""
    try:
        return str(same_host(ip_address(host)))
    except ValueError:
        return host
