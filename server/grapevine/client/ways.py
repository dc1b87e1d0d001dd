"""Two ways to make HTTP calls, blocking and awaited, behind one protocol; and how blocking code runs ``async`` code.

Everything else of the client is written once, as ``async`` functions. Those functions wait for nothing but the methods
of ``Http``. In ``BlockingHttp`` these never suspend, so a coroutine that waits for them runs to its end in one step,
without an event loop.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from typing import Any, Protocol, TypeVar

import httpx

from grapevine.client.unpacking import Unpacker

Result = TypeVar("Result")
Item = TypeVar("Item")


class Http(Protocol):
    """How requests are sent. Every method raises what httpx raises."""

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Returns the response, of which the body is not read yet."""
        ...

    def pieces(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """Yields the body of a response as it comes, unpacked. Raises ValueError where it is packed in a way that was
        not asked for."""
        ...

    async def end(self, response: httpx.Response) -> None:
        """Gives the connection of a response back, or closes it when the body was not read to its end."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        ...

    async def close(self) -> None:
        """Closes every connection."""
        ...


class BlockingHttp:
    """Calls that block."""

    def __init__(self, url: str, transport: httpx.BaseTransport | None, sleep: Callable[[float], None]) -> None:
        self._client = httpx.Client(
            transport=transport, verify=_tls(url, transport), trust_env=False, follow_redirects=False
        )
        self._sleep = sleep

    async def send(self, request: httpx.Request) -> httpx.Response:
        return self._client.send(request, stream=True)

    async def pieces(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        if response.is_stream_consumed:  # made of bytes, by a transport without a network
            yield response.content
            return
        unpacker = Unpacker(response.headers.get("content-encoding", ""))
        for received in response.iter_raw():
            for piece in unpacker.pieces(received):
                yield piece

    async def end(self, response: httpx.Response) -> None:
        response.close()

    async def sleep(self, seconds: float) -> None:
        self._sleep(seconds)

    async def close(self) -> None:
        self._client.close()


class AwaitedHttp:
    """Calls on the event loop."""

    def __init__(
        self, url: str, transport: httpx.AsyncBaseTransport | None, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._client = httpx.AsyncClient(
            transport=transport, verify=_tls(url, transport), trust_env=False, follow_redirects=False
        )
        self._sleep = sleep

    async def send(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True)

    async def pieces(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        if response.is_stream_consumed:
            yield response.content
            return
        unpacker = Unpacker(response.headers.get("content-encoding", ""))
        async for received in response.aiter_raw():
            for piece in unpacker.pieces(received):
                yield piece

    async def end(self, response: httpx.Response) -> None:
        await response.aclose()

    async def sleep(self, seconds: float) -> None:
        await self._sleep(seconds)

    async def close(self) -> None:
        await self._client.aclose()


def _tls(url: str, transport: object) -> ssl.SSLContext:
    """Returns how certificates are checked. Where none will be seen, no certificates are read, which takes a second."""
    if transport is not None or url.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts none
    return httpx.create_ssl_context(trust_env=False)


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Returns the result of a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    coroutine.close()
    raise RuntimeError("a blocking call was suspended")


def iterate(items: AsyncGenerator[Item, None]) -> Generator[Item, None, None]:
    """Yields what an asynchronous generator yields that never suspends. Closes it when this iterator is closed."""
    try:
        while True:
            try:
                yield run(_next(items))
            except StopAsyncIteration:
                return
    finally:
        run(items.aclose())


async def _next(items: AsyncGenerator[Item, None]) -> Item:
    return await anext(items)
