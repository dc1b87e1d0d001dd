"""A web server on 127.0.0.1 with the pages of strangers: each path answers as a test says, however badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from tests.support.talks import serving

Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Answers by itself, and may take its time."""


class Source(NamedTuple):
    """What is at a path."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = {"content-type": "text/html; charset=utf-8"}


class Asked(NamedTuple):
    """A request as it came: its path and its headers."""

    path: str
    headers: dict[str, str]


class SourceServer:
    """Answers with what is in ``pages`` by path, else with 404."""

    def __init__(self) -> None:
        self.pages: dict[str, Source | Talk] = {}
        self.asked: list[Asked] = []
        self.port = 0

    def page(self, path: str, body: str | bytes, status: int = 200, **headers: str) -> None:
        """Puts a page in place; the headers' names have `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body.encode() if isinstance(body, str) else body
        self.pages[path] = Source(content, status, {"content-type": "text/html; charset=utf-8", **named})

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The address of a page."""
        return f"http://{host}:{self.port}{path}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handles one request."""
        line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        path = line.split(" ")[1]
        headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
        self.asked.append(Asked(path, headers))
        found = self.pages.get(path, Source(status=404))
        if isinstance(found, Source):
            more = "".join(f"{name}: {value}\r\n" for name, value in found.headers.items())
            head = f"HTTP/1.1 {found.status} Said\r\n{more}content-length: {len(found.body)}\r\n\r\n"
            writer.write(head.encode() + found.body)
            await writer.drain()
        else:
            await found(writer)


@asynccontextmanager
async def serving_sources(*more: str) -> AsyncIterator[SourceServer]:
    """A server of sources on a free port of 127.0.0.1, and on the same port of ``more`` addresses of this machine."""
    sources = SourceServer()
    async with serving(sources.talk, *more) as sources.port:
        yield sources
