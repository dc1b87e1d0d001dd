"""``Client`` and ``AsyncClient``."""

from __future__ import annotations

import asyncio
import os
import random as random_numbers
import time
from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Final, Self

import httpx

from grapevine.client.address import find_address
from grapevine.client.call import Awaited, Blocking, Call, Listed, Operated
from grapevine.client.exchange import Exchange
from grapevine.client.groups import Calls
from grapevine.client.retry import Retries
from grapevine.client.ways import AwaitedHttp, BlockingHttp, Http, iterate, run

TIMEOUT: Final = 30.0
"""Seconds that the client waits for an answer, or for the next piece of one."""
RETRIES: Final = Retries()


class BlockingCaller:
    """Makes calls that block."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def result(self, operation: Operated, call: Call[Any]) -> Any:
        return run(self._exchange.result(operation, call))

    def items(self, operation: Operated, listed: Listed) -> Any:
        return iterate(self._exchange.items(operation, listed))


class AwaitedCaller:
    """Makes calls that are awaited."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def result(self, operation: Operated, call: Call[Any]) -> Any:
        return self._exchange.result(operation, call)

    def items(self, operation: Operated, listed: Listed) -> Any:
        return self._exchange.items(operation, listed)


class Client(Calls[Blocking]):
    """Calls the API of a Grapevine server; every call returns its result.

    ``url`` is the server's address; without it, the environment's ``GRAPEVINE_URL``. ``key`` is an API key; without it,
    ``GRAPEVINE_KEY``, or the file that ``GRAPEVINE_KEY_FILE`` names. ``site`` is the public key of the site that is
    asked about, where the API key is for several. ``timeout`` is how many seconds the client waits for an answer, or
    for the next piece of one; ``retries`` says how often and how long a call is tried. ``allow_http`` lets the key go
    to another machine unencrypted. ``transport`` is one of httpx, for a proxy or certificates of your own.
    Raises ClientSettingError.

    A client may be used by several threads. Use it in a ``with`` block, or close it.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        site: str | None = None,
        timeout: float = TIMEOUT,
        retries: Retries = RETRIES,
        allow_http: bool = False,
        transport: httpx.BaseTransport | None = None,
        environ: Mapping[str, str] = os.environ,  # this and what follows is for tests
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random_numbers.random,
    ) -> None:
        address = find_address(url, key, environ, allow_http=allow_http)
        http: Http = BlockingHttp(address.url, transport, sleep)
        self._exchange = Exchange(
            http, address, site=site, timeout=timeout, retries=retries, clock=clock, random=random
        )
        super().__init__(BlockingCaller(self._exchange))

    def close(self) -> None:
        """Closes the client's connections."""
        run(self._exchange.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncClient(Calls[Awaited]):
    """Calls the API of a Grapevine server on an event loop of asyncio; every call is awaited.

    The parameters are those of ``Client``. Use it in an ``async with`` block, or close it. An iterator that is not read
    to its end should be closed (``contextlib.aclosing``).
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        site: str | None = None,
        timeout: float = TIMEOUT,
        retries: Retries = RETRIES,
        allow_http: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
        environ: Mapping[str, str] = os.environ,  # this and what follows is for tests
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random_numbers.random,
    ) -> None:
        address = find_address(url, key, environ, allow_http=allow_http)
        http: Http = AwaitedHttp(address.url, transport, sleep)
        self._exchange = Exchange(
            http, address, site=site, timeout=timeout, retries=retries, clock=clock, random=random
        )
        super().__init__(AwaitedCaller(self._exchange))

    async def close(self) -> None:
        """Closes the client's connections."""
        await self._exchange.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()
