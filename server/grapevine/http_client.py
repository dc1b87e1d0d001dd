"""Outgoing HTTP: the only module of the server that imports httpx, so that its continuation can replace it in one line
(decision 28). The client of the API (``client/``) is a program of its own.

No client reads proxy settings from the environment: requests go where the caller says, and nowhere else.
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final

import httpx

AsyncClient = httpx.AsyncClient
AsyncBaseTransport = httpx.AsyncBaseTransport
AsyncByteStream = httpx.AsyncByteStream
AsyncHTTPTransport = httpx.AsyncHTTPTransport
URL = httpx.URL
Request = httpx.Request
Response = httpx.Response
HTTPError = httpx.HTTPError
ConnectError = httpx.ConnectError
RemoteProtocolError = httpx.RemoteProtocolError
InvalidURL = httpx.InvalidURL

_LOADED_LATE: Final = ("httpcore", "h11", "anyio._backends._asyncio", "encodings.idna")
"""What the first request would load on the event loop, which would stand still for up to a second meanwhile."""


def make_client(base_url: str, *, seconds: float, connections: int, idle_seconds: float = 5.0) -> AsyncClient:
    """Returns a client of one server; ``seconds`` is the timeout of a request. Raises InvalidURL.

    ``connections`` is the most it opens at once; it closes a connection that was idle for ``idle_seconds``.
    """
    limits = httpx.Limits(
        max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=idle_seconds
    )
    return httpx.AsyncClient(base_url=base_url, limits=limits, timeout=seconds, trust_env=False)


async def make_pinned_client(*, seconds: float, tls: ssl.SSLContext | None = None) -> AsyncClient:
    """Returns a client for ``stream_to_address``; ``tls`` is None for the usual certificates.

    It keeps no connection open: a connection is found by address, so one host could get that of another.
    """
    return await asyncio.to_thread(_pinned_client, seconds, tls)


def _pinned_client(seconds: float, tls: ssl.SSLContext | None) -> AsyncClient:
    """Makes the client; in a thread, since reading all certificates and loading its parts takes a while."""
    for name in _LOADED_LATE:
        with suppress(ImportError):
            importlib.import_module(name)
    limits = httpx.Limits(max_keepalive_connections=0)
    verify = httpx.create_ssl_context() if tls is None else tls
    return httpx.AsyncClient(verify=verify, timeout=seconds, trust_env=False, limits=limits)


def stream_to_address(
    client: AsyncClient, url: str, address: str, *, content: bytes | None = None, headers: dict[str, str]
) -> AbstractAsyncContextManager[Response]:
    """Posts ``content`` to ``url``, or gets it, over a connection to ``address``.

    TLS checks the certificate of the URL's own host.

    The body of the response is not read. Raises HTTPError, of which ConnectError means that nothing was sent.
    """
    target = httpx.URL(url)
    return client.stream(
        "GET" if content is None else "POST",
        target.copy_with(host=address),
        content=content,
        headers=headers | {"host": target.netloc.decode("ascii")},
        extensions={"sni_hostname": target.raw_host.decode("ascii")},
    )
