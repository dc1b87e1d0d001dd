"""Gets a page as a visitor would, with bounds on everything that its server decides: size, time, redirects, addresses.

Each request resolves the host anew, every address must be one that the policy allows, and the connection goes to the
address that was checked. Bodies are unpacked here, piece by piece, so that a small answer cannot become a large one.
"""

from __future__ import annotations

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final
from urllib.parse import quote, urldefrag, urljoin, urlsplit

import msgspec

from grapevine import __version__, http_client
from grapevine.doctor.page.findings import cut
from grapevine.domain.urls import MAX_LENGTH, UrlError, origin_of
from grapevine.egress.host_lookup import HostLookup, resolve_host
from grapevine.egress.policy import PORTS, EgressPolicy, EgressRefused
from grapevine.errors import GrapevineError

USER_AGENT: Final = f"Mozilla/5.0 (compatible; GrapevineDoctor/{__version__}; checks a page for its owner)"
HTML: Final = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
MOST_BYTES: Final = 2 << 20
"""Of a page, unpacked. The largest of the web's usual pages have a fifth of it."""
MOST_REDIRECTS: Final = 5
REQUEST_SECONDS: Final = 15.0
"""From the first look-up to the last byte, redirects included: a server that sends byte by byte gets no more."""
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_SAFE: Final = "!#$%&'()*+,/:;=?@[]~"
_GZIP: Final = 31


class Fetched(msgspec.Struct, frozen=True):
    """An answer. Header names are in lower case; ``is_cut`` says that the body was longer. ``passed`` are the URLs
    that redirected here."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_cut: bool = False
    passed: tuple[str, ...] = ()

    def header(self, name: str) -> str:
        """Returns all values of a header, joined by commas; empty if it is not there."""
        return ", ".join(self.headers_named(name))

    def headers_named(self, name: str) -> list[str]:
        """Returns the values of a header."""
        return [value for found, value in self.headers if found == name]

    @property
    def media_type(self) -> str:
        """The type of the content without parameters, in lower case."""
        return self.header("content-type").partition(";")[0].strip().lower()


class FetchError(GrapevineError):
    """Nothing usable came back. ``code`` is the finding's; the text says what happened, ``fix`` what to do.

    ``origin`` is the one that a redirect led to and that was not followed.
    """

    def __init__(self, code: str, text: str, fix: str, origin: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.fix = fix
        self.origin = origin


class Visitor:
    """Gets pages. ``origins``, if given, are the only ones that it goes to, redirects included."""

    def __init__(
        self,
        client: http_client.AsyncClient,
        policy: EgressPolicy,
        *,
        origins: frozenset[str] | None = None,
        lookup: HostLookup = resolve_host,
        seconds: float = REQUEST_SECONDS,
    ) -> None:
        self._client = client
        self._policy = policy
        self._origins = origins
        self._lookup = lookup
        self._seconds = seconds

    def may_visit(self, url: str) -> bool:
        """Returns whether this visitor goes to the URL's origin at all."""
        return self._origins is None or origin_of(url) in self._origins

    async def get(self, url: str, *, most: int = MOST_BYTES, accept: str = HTML) -> Fetched:
        """Returns what is at ``url``, after at most five redirects. Raises FetchError."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(url, most, accept)
        except TimeoutError:
            raise FetchError(
                "page-slow",
                f"{_host(url)} did not finish its answer within {self._seconds:g} seconds.",
                "Open the address in a browser. If it is fast there, a firewall may hold back programs.",
            ) from None

    async def _follow(self, url: str, most: int, accept: str) -> Fetched:
        passed: tuple[str, ...] = ()
        while True:
            url = _with_path(urldefrag(url)[0])
            self._check_origin(url, passed)
            answer = await self._get_once(url, most, accept)
            target = answer.header("location")
            if answer.status not in _REDIRECTS or not target:
                return msgspec.structs.replace(answer, passed=passed)
            if len(passed) == MOST_REDIRECTS:
                raise FetchError(
                    "page-redirects",
                    f"The address leads on and on: after {MOST_REDIRECTS} redirects there was still no page.",
                    "Open it in a private window. If it works there, the page needs a cookie to be shown; if not, "
                    "look at the redirects that your web server or its plugins make.",
                )
            passed += (url,)
            url = _joined(url, target)

    def _check_origin(self, url: str, passed: tuple[str, ...]) -> None:
        try:
            origin = origin_of(url)
        except UrlError as error:
            where = "The address that it redirects to" if passed else "The address"
            raise FetchError("page-address", f"{where} {error}.", "Check how it is written.") from None
        if self._origins is not None and origin not in self._origins:
            raise FetchError(
                "page-elsewhere",
                f"The address leads on to {origin}, which is not one of this site's addresses, so it was not followed.",
                "If your pages are there, add that address to the site. On the server, name all of them anew:",
                origin,
            )

    async def _get_once(self, url: str, most: int, accept: str) -> Fetched:
        host = _host(url)
        addresses = await self._addresses(url)
        headers = {"user-agent": USER_AGENT, "accept": accept, "accept-language": "en", "accept-encoding": "gzip"}
        for number, address in enumerate(addresses, 1):
            try:
                request = http_client.stream_to_address(self._client, url, address, headers=headers)
                async with request as response:
                    return await _read(response, url, most)
            except http_client.ConnectError as error:
                if number == len(addresses) or _tls_error(error):
                    raise _no_connection(host, error) from None
            except http_client.InvalidURL:
                raise FetchError(
                    "page-address", f"{cut(url, 100)} is no address of a web page.", "Check how it is written."
                ) from None
            except http_client.HTTPError as error:
                raise FetchError(
                    "page-unreachable",
                    f"{host} broke off, or its answer is not a web page ({type(error).__name__}).",
                    "Open the address in a browser to see whether the page works at all.",
                ) from None
        raise FetchError("page-unreachable", f"{host} has no address.", "Check how the address is written.")

    async def _addresses(self, url: str) -> list[str]:
        parts = urlsplit(url)
        host = parts.hostname or ""
        try:
            self._policy.check(url)
            found = await self._lookup(host, PORTS[parts.scheme] if parts.port is None else parts.port)
            return self._policy.usable(found, parts.scheme)
        except EgressRefused as error:
            says = str(error).replace(f"leads to {host}, which is", "is")
            raise FetchError(
                "page-private", f"{host} {says}.", "Check a page that everybody on the internet can open."
            ) from None
        except (OSError, UnicodeError, ValueError):
            raise FetchError(
                "page-unknown-host",
                f"There is no server called {host}.",
                "Check how the address is written, and whether the domain's DNS entry is there yet.",
            ) from None


@asynccontextmanager
async def visiting(
    policy: EgressPolicy,
    *,
    origins: frozenset[str] | None = None,
    lookup: HostLookup = resolve_host,
    tls: ssl.SSLContext | None = None,
    seconds: float = REQUEST_SECONDS,
) -> AsyncIterator[Visitor]:
    """Yields a visitor; ``tls`` is None for the usual certificates."""
    async with await http_client.make_pinned_client(seconds=seconds, tls=tls) as client:
        yield Visitor(client, policy, origins=origins, lookup=lookup, seconds=seconds)


def _with_path(url: str) -> str:
    """Returns the URL as browsers spell it: with a slash where it is a host alone."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return url if parts.path or not parts.netloc else parts._replace(path="/").geturl()


def _joined(url: str, target: str) -> str:
    """Returns where a redirect leads to; the target as it is written where it is no address."""
    if len(target) > MAX_LENGTH:
        return target
    try:
        return quote(urljoin(url, target), safe=_SAFE)
    except ValueError:
        return target


async def _read(response: http_client.Response, url: str, most: int) -> Fetched:
    headers = tuple((name.lower(), value) for name, value in response.headers.multi_items())
    packed = response.headers.get("content-encoding", "").strip().lower()
    body, is_cut = b"", False
    if response.status_code not in _REDIRECTS and response.status_code != HTTPStatus.NO_CONTENT:
        body, is_cut = await _body(response, packed, most)
    return Fetched(url, response.status_code, headers, body, is_cut)


async def _body(response: http_client.Response, packed: str, most: int) -> tuple[bytes, bool]:
    """Returns at most ``most`` bytes of the unpacked body, and whether there are more."""
    if packed not in ("", "identity", "gzip", "x-gzip"):
        raise FetchError(
            "page-encoding",
            f"The page came packed as {packed[:40]!r}, although only gzip was asked for.",
            "Let your web server or CDN pack pages in the ways that a browser names in Accept-Encoding.",
        )
    unpack = zlib.decompressobj(_GZIP) if packed in ("gzip", "x-gzip") else None
    pieces: list[bytes] = []
    size = received = 0
    async for chunk in response.aiter_raw():
        received += len(chunk)
        try:
            piece = chunk if unpack is None else unpack.decompress(chunk, most - size + 1)
        except zlib.error:
            raise FetchError(
                "page-encoding", "The page says that it is packed with gzip, but it is not.", "Look at your web server."
            ) from None
        pieces.append(piece)
        size += len(piece)
        if size > most or received > most:
            return b"".join(pieces)[:most], True
    return b"".join(pieces), False


def _no_connection(host: str, error: http_client.HTTPError) -> FetchError:
    tls = _tls_error(error)
    if tls is None:
        return FetchError(
            "page-unreachable",
            f"{host} does not answer.",
            "Check how the address is written, and whether the web server runs.",
        )
    reason = getattr(tls, "verify_message", "") or "no secure connection"
    return FetchError(
        "page-certificate",
        f"The certificate of {host} is not accepted ({reason}), so browsers show a warning instead of the page.",
        "Renew the certificate, or install it with the chain that its issuer gave you.",
    )


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """Returns the TLS error that another error was raised for, if that is why."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return error
        error = error.__cause__ or error.__context__
    return None


def _host(url: str) -> str:
    return urlsplit(url).hostname or url[:100]
