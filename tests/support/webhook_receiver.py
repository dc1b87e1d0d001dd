"""A webhook endpoint on 127.0.0.1 that responds as a test says and records every delivery."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from tests.support.talks import serving

Says = tuple[int, dict[str, str]] | None
"""A status with headers; None is no answer at all."""

HALF: Final[Says] = (0, {})
"""An answer that ends within its first line."""


class Received(NamedTuple):
    """A request as it came: ``line`` is its first one."""

    line: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Responds with the statuses of ``says``, one after the other, and then with 204."""

    def __init__(self) -> None:
        self.says: list[Says] = []
        self.received: list[Received] = []
        self.port = 0
        self.came = asyncio.Event()

    @property
    def url(self) -> str:
        """The URL of the endpoint."""
        return f"http://127.0.0.1:{self.port}/hook"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handles one request."""
        line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
        self.received.append(Received(line, headers, await reader.readexactly(int(headers["content-length"]))))
        says = self.says.pop(0) if self.says else (204, {})
        self.came.set()
        if says is None:
            await reader.read()
            return
        if says == HALF:
            writer.write(b"HTTP/1.1 20")
            return
        more = "".join(f"{name}: {value}\r\n" for name, value in says[1].items())
        writer.write(f"HTTP/1.1 {says[0]} Said\r\n{more}content-length: 0\r\n\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def receiving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a free port of 127.0.0.1."""
    receiver = Receiver()
    async with serving(receiver.talk, tls=tls) as receiver.port:
        yield receiver
