"""Gets what strangers name, with bounds on everything that its server decides: size, time, redirects, addresses.

Each request resolves the host anew, every address must be one that the policy allows, and the connection goes to the
address that was checked. Bodies are unpacked here, piece by piece, so that a small answer cannot become a large one.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urldefrag, urljoin, urlsplit

import msgspec

from grapevine import http_client
from grapevine.domain.urls import MAX_LENGTH, UrlError, origin_of
from grapevine.egress.host_lookup import HostLookup, resolve_host
from grapevine.egress.hosts import host_of
from grapevine.egress.policy import PORTS, EgressPolicy, EgressRefused
from grapevine.errors import GrapevineError

REASONS: Final = ("address", "unknown-host", "unreachable", "slow", "redirects", "packed")
"""Why nothing usable came back: an address that is none or that the policy forbids; a host that is not found; no
answer, or none that is HTTP; not within the time; too many redirects; packed in a way that cannot be read."""

_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_SAFE: Final = "!#$%&'()*+,/:;=?@[]~"
_GZIP: Final = 31

Admit = Callable[[str, str], Awaitable[None]]
"""Called with the host, as ``host_of`` spells it, and the address before each connection; refuses it by raising."""


class FetchBounds(msgspec.Struct, frozen=True, kw_only=True):
    """``most_bytes`` of the unpacked body are read, and as many packed ones; ``seconds`` is the time from the first
    look-up to the last byte, redirects included."""

    most_bytes: int
    seconds: float
    redirects: int


class FetchedText(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. Header names are in lower case; ``is_cut`` says that the body was longer. ``url`` is where redirects
    led to."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_cut: bool = False

    def header(self, name: str) -> str:
        """Returns all values of a header, joined by commas; empty if it is not there."""
        return ", ".join(value for found, value in self.headers if found == name)

    @property
    def media_type(self) -> str:
        """The type of the content without parameters, in lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def retry_after(self) -> int:
        """The ``Retry-After`` header in seconds; 0 when it is missing or not a number of seconds."""
        text = self.header("retry-after").strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


class FetchFailed(GrapevineError):
    """Nothing usable came back; ``reason`` is one of ``REASONS``. The text names no address of this network."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


async def _admit_all(host: str, address: str) -> None:
    """Refuses nothing."""


class Fetcher:
    """Gets addresses over a client of ``http_client.make_pinned_client``. ``user_agent`` says who asks, and why."""

    def __init__(
        self,
        client: http_client.AsyncClient,
        policy: EgressPolicy,
        bounds: FetchBounds,
        user_agent: str,
        *,
        lookup: HostLookup = resolve_host,
    ) -> None:
        self._client = client
        self._policy = policy
        self._bounds = bounds
        self._user_agent = user_agent
        self._lookup = lookup

    async def get(
        self, url: str, *, accept: str, headers: Mapping[str, str] | None = None, admit: Admit = _admit_all
    ) -> FetchedText:
        """Returns what is at ``url``. ``headers`` are sent besides, with each request.

        Raises FetchFailed, and whatever ``admit`` raises.
        """
        try:
            async with asyncio.timeout(self._bounds.seconds):
                return await self._follow(url, {**(headers or {}), "accept": accept}, admit)
        except TimeoutError:
            raise FetchFailed("slow", f"no answer within {self._bounds.seconds:g} seconds") from None

    async def _follow(self, url: str, headers: dict[str, str], admit: Admit) -> FetchedText:
        for _ in range(self._bounds.redirects + 1):
            url = _with_path(urldefrag(url)[0])
            answer = await self._get_once(url, headers, admit)
            target = answer.header("location")
            if answer.status not in _REDIRECTS or not target:
                return answer
            url = _joined(url, target)
        raise FetchFailed("redirects", f"more than {self._bounds.redirects} redirects")

    async def _get_once(self, url: str, headers: dict[str, str], admit: Admit) -> FetchedText:
        addresses = await self._addresses(url)
        sent = headers | {"user-agent": self._user_agent, "accept-encoding": "gzip"}
        for number, address in enumerate(addresses, 1):
            await admit(host_of(url), address)
            try:
                async with http_client.stream_to_address(self._client, url, address, headers=sent) as response:
                    return await self._read(response, url)
            except http_client.ConnectError:
                if number == len(addresses):
                    raise FetchFailed("unreachable", "no connection to its server") from None
            except http_client.InvalidURL:
                raise FetchFailed("address", "no address of a web page") from None
            except http_client.HTTPError:
                raise FetchFailed("unreachable", "its server broke off, or its answer is no HTTP") from None
        raise FetchFailed("unknown-host", "its host has no address")

    async def _addresses(self, url: str) -> list[str]:
        try:
            self._policy.check(url)
            parts = urlsplit(url)
            found = await self._lookup(parts.hostname or "", PORTS[parts.scheme] if parts.port is None else parts.port)
        except EgressRefused:
            raise FetchFailed("address", "not an address that this server may ask") from None
        except (OSError, UnicodeError, ValueError):
            raise FetchFailed("unknown-host", "its host was not found") from None
        try:
            return self._policy.usable(found, parts.scheme)
        except (EgressRefused, ValueError):
            raise FetchFailed("address", "not an address that this server may ask") from None

    async def _read(self, response: http_client.Response, url: str) -> FetchedText:
        headers = tuple((name.lower(), value) for name, value in response.headers.multi_items())
        body, is_cut = b"", False
        if HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            body, is_cut = await _body(response, self._bounds.most_bytes)
        return FetchedText(url=url, status=response.status_code, headers=headers, body=body, is_cut=is_cut)


def _with_path(url: str) -> str:
    """Returns the URL as browsers spell it: with a slash where it is a host alone."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return url if parts.path or not parts.netloc else parts._replace(path="/").geturl()


def _joined(url: str, target: str) -> str:
    """Returns where a redirect leads to. Raises FetchFailed for what is no address."""
    if len(target) > MAX_LENGTH:
        raise FetchFailed("address", "a redirect to no address of a web page")
    try:
        joined = quote(urljoin(url, target), safe=_SAFE)
        origin_of(joined)
    except (UrlError, ValueError):
        raise FetchFailed("address", "a redirect to no address of a web page") from None
    return joined


async def _body(response: http_client.Response, most: int) -> tuple[bytes, bool]:
    """Returns at most ``most`` bytes of the unpacked body, and whether there are more."""
    packed = response.headers.get("content-encoding", "").strip().lower()
    if packed not in ("", "identity", "gzip", "x-gzip"):
        raise FetchFailed("packed", "packed in a way that was not asked for")
    unpack = zlib.decompressobj(_GZIP) if packed in ("gzip", "x-gzip") else None
    pieces: list[bytes] = []
    size = received = 0
    async for chunk in response.aiter_raw():
        received += len(chunk)
        try:
            piece = chunk if unpack is None else unpack.decompress(chunk, most - size + 1)
        except zlib.error:
            raise FetchFailed("packed", "packed in a way that cannot be read") from None
        pieces.append(piece)
        size += len(piece)
        if size > most or received > most:
            return b"".join(pieces)[:most], True
    return b"".join(pieces), False
