"""Which server a client calls, and with which key: from arguments, else from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from grapevine.client.errors import ClientSettingError
from grapevine.config.settings import CLIENT_KEY, CLIENT_URL

_FILE: Final = "_FILE"
_KEY: Final = re.compile(r"[!-~]+")
_HOST: Final = re.compile(rb"[0-9A-Za-z._:-]+")
_MOST_PORT: Final = 65_535


class Address(NamedTuple):
    """A server and the API key for it. ``url`` is its address without a slash at the end."""

    url: str
    key: str

    def __repr__(self) -> str:
        return f"Address({self.url!r}, <hidden>)"


def find_address(
    url: str | None, key: str | None, environ: Mapping[str, str], *, allow_http: bool, scope: str = "read"
) -> Address:
    """Returns the address and the key. Raises ClientSettingError.

    Without ``allow_http``, http:// is only for servers on this machine: everybody on the way could read the key.
    ``scope`` is the one that the caller needs.
    """
    given_url = url if url is not None else _from_environment(CLIENT_URL, environ)
    if not given_url:
        raise ClientSettingError(
            f'Which server? Give its address, as in Client("https://share.example.com"), or set {CLIENT_URL}.'
        )
    given_key = key if key is not None else _from_environment(CLIENT_KEY, environ)
    if not given_key or not (secret := given_key.strip()):
        raise ClientSettingError(
            f"The API key is missing: give it as key=…, or set {CLIENT_KEY} or {CLIENT_KEY}{_FILE}. "
            f"`grapevine key add SITE --scope {scope}` makes one."
        )
    if not _KEY.fullmatch(secret):
        raise ClientSettingError("The API key holds characters that no key has. Was more copied than the key?")
    return Address(_checked(given_url.strip(), allow_http=allow_http), secret)


def _from_environment(name: str, environ: Mapping[str, str]) -> str:
    """The value of a variable, or of the file that its ``…_FILE`` names; empty where there is neither."""
    value, file = environ.get(name, ""), environ.get(name + _FILE, "")
    if value or not file:
        return value
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ClientSettingError(f"{name}{_FILE} names {file}, which cannot be read: {error}") from None


def _checked(url: str, *, allow_http: bool) -> str:
    try:
        parts = httpx.URL(url)  # the parser that reads it when a request is sent
    except httpx.InvalidURL:
        parts = httpx.URL()
    host = parts.host
    is_reachable = (
        parts.scheme in ("http", "https") and _HOST.fullmatch(parts.raw_host) and (parts.port or 0) <= _MOST_PORT
    )
    if not is_reachable or parts.query or parts.fragment or parts.userinfo:
        # The address is not repeated: it may hold a password.
        raise ClientSettingError(
            "The address of the server must look like https://share.example.com: http or https, a host, perhaps a port "
            "and a path, and no user name."
        )
    if parts.scheme == "http" and not allow_http and not is_this_machine(host):
        raise ClientSettingError(
            f"The API key would go to {host} unencrypted, where others can read it. Use https://, or say "
            "allow_http=True if nobody else is on the way."
        )
    return url.rstrip("/")


def is_this_machine(host: str) -> bool:
    """Whether requests to ``host`` stay on this machine: loopback addresses, and the name that stands for them."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"  # names below it are asked of name servers by some systems
