"""A server that a test runs in its own event loop; every connection is closed when the test ends."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_STEPS_TO_TALK: Final = 8
"""More turns of the event loop than lie between accepting a connection and the first line of its handler."""


@asynccontextmanager
async def serving(talk: Talk, *more: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Handles each connection by ``talk``, then closes it; the other side may leave at any time.

    Yields a free port of 127.0.0.1. It is served on ``more`` addresses of this machine, too.
    """
    connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections[task] = writer
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await talk(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):  # ssl.SSLError is one
                await writer.wait_closed()
            del connections[task]

    servers = [await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)]
    port: int = servers[0].sockets[0].getsockname()[1]
    try:
        if more:
            servers.append(await asyncio.start_server(handle, more, port, ssl=tls))
        yield port
    finally:
        await _accept_no_more(servers)
        for task, writer in list(connections.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        for server in servers:
            server.close()
            await server.wait_closed()


async def _accept_no_more(servers: list[asyncio.Server]) -> None:
    """Lets the loop come to the handlers of those connections that were accepted a moment ago.

    A server that closes between accepting a connection and making its transport would leave that open.
    """
    loop = asyncio.get_running_loop()
    for server in servers:
        for each in server.sockets:
            loop.remove_reader(each.fileno())
    for _ in range(_STEPS_TO_TALK):
        await asyncio.sleep(0)
