"""One HTTP/1.1 connection over a plain socket: the test decides which bytes are sent when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from tests.support.user_agents import CHROME

ORIGIN: Final = "https://a.example"


class Cut(Exception):
    """The connection ended without a response."""


class RawResponse(NamedTuple):
    """A response; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Returns the body, decoded from JSON."""
        return json.loads(self.body)


class Connection:
    """A connection that stays open. Every way it can end without an answer is a Cut."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> RawResponse:
        """Sends a request and waits for its answer."""
        await self.send(request(method, path, body, headers))
        return await self.answer()

    async def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise Cut(str(error)) from None

    async def answer(self) -> RawResponse:
        """Reads the next response on this connection."""
        try:
            first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines if line)
            body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Cut(str(error)) from None
        return RawResponse(int(first.split(" ")[1]), headers, body)

    async def ended(self) -> None:
        """Waits until the server closes the connection, and discards its bytes."""
        try:
            while await self._reader.read(4096):
                pass
        except OSError:
            return

    async def close(self) -> None:
        """Closes the connection."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Connection]:
    """A connection to the server on this machine. Raises Cut when the port is closed."""
    try:
        connection = Connection(*await asyncio.open_connection("127.0.0.1", port))
    except OSError as error:
        raise Cut(str(error)) from None
    try:
        yield connection
    finally:
        await connection.close()


def request(method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> bytes:
    """A request as bytes, as a browser on a page of the site sends it."""
    content = b"" if body is None else json.dumps(body).encode()
    usual = {"host": "127.0.0.1", "user-agent": CHROME, "origin": ORIGIN, "content-type": "text/plain"}
    if body is not None:
        usual["content-length"] = str(len(content))
    lines = [f"{name}: {value}" for name, value in (usual | dict(headers or {})).items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "\r\n"]).encode() + content
