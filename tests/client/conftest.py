"""Clients of both kinds, called in one way, so that each test is written once."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, closing
from itertools import islice
from typing import Any, Final

import httpx
import pytest

from grapevine.client import AsyncClient, Client
from tests.support.in_process_server import database, server
from tests.support.talks import serving

__all__ = ["database", "server"]

KINDS: Final = ("blocking", "awaited")


class Caller:
    """A client of one kind. ``pauses`` are the seconds that it waited; it does not wait in truth."""

    def __init__(
        self, kind: str, url: str, key: str = "a-key", tls: ssl.SSLContext | None = None, **options: Any
    ) -> None:
        self.pauses: list[float] = []
        self._kind = kind
        given: dict[str, Any] = {"random": lambda: 0.5, "timeout": 60.0} | options
        if tls is not None:
            made = httpx.HTTPTransport if kind == "blocking" else httpx.AsyncHTTPTransport
            given["transport"] = made(verify=tls)
        if kind == "blocking":
            self.client: Client | AsyncClient = Client(url, key, sleep=self._pause, **given)
        else:
            self.client = AsyncClient(url, key, sleep=self._sleep, **given)

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def _sleep(self, seconds: float) -> None:
        self._pause(seconds)

    async def __call__(self, do: Callable[[Any], Any]) -> Any:
        """Returns what ``do`` gets from the client; of an iterator, the list of its items."""
        if self._kind == "blocking":
            return await asyncio.to_thread(lambda: _whole(do(self.client)))
        found = do(self.client)
        return await found if inspect.isawaitable(found) else [item async for item in found]

    async def first(self, do: Callable[[Any], Any], count: int) -> list[Any]:
        """Returns the first items of an iterator, and closes it."""
        if self._kind == "blocking":

            def some() -> list[Any]:
                with closing(do(self.client)) as items:
                    return list(islice(items, count))

            return await asyncio.to_thread(some)
        found: list[Any] = []
        async with aclosing(do(self.client)) as items:
            async for item in items:
                found.append(item)
                if len(found) == count:
                    break
        return found

    async def close(self) -> None:
        ending = await asyncio.to_thread(self.client.close)
        if ending is not None:
            await ending


def _whole(found: Any) -> Any:
    return list(found) if hasattr(found, "__next__") else found


MakeCaller = Callable[..., Caller]


@pytest.fixture(params=KINDS)
async def make_caller(request: pytest.FixtureRequest) -> AsyncIterator[MakeCaller]:
    """Makes clients of one kind, and closes them."""
    made: list[Caller] = []

    def make(url: str, key: str = "a-key", **options: Any) -> Caller:
        made.append(Caller(request.param, url, key, **options))
        return made[-1]

    yield make
    for caller in made:
        await caller.close()


class ScriptedServer:
    """A server that gives the answers of a script, one a request, each over a connection of its own."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[bytes] = []
        self._answers: list[Any] = []

    def will(self, *answers: Any) -> None:
        """The next answers: bytes to send before the connection is closed, or ``None`` to keep it open, silent."""
        self._answers += answers

    @property
    def left(self) -> int:
        """How many answers were not asked for."""
        return len(self._answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0)
        self.requests.append(head + await reader.readexactly(length))
        answer = self._answers.pop(0)
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
        else:
            await reader.read()


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedServer]:
    """A server with faults."""
    script = ScriptedServer()
    async with serving(script.serve) as port:
        script.url = f"http://127.0.0.1:{port}"
        yield script


def reply(
    body: bytes, status: str = "200 OK", headers: Mapping[str, str] | None = None, *, length: int | None = None
) -> bytes:
    """An HTTP answer; ``length`` is what it says of its body, if that is not the truth."""
    given = {"Content-Type": "application/json", "Content-Length": str(len(body) if length is None else length)}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (given | dict(headers or {})).items())]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def problem(status: str, code: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A refusal as Grapevine words it."""
    number = status.split()[0]
    body = f'{{"type":"x","title":"No","status":{number},"detail":"It is so.","code":"{code}"}}'.encode()
    return reply(body, status, {"Content-Type": "application/problem+json"} | dict(headers or {}))
