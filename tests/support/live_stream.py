"""A client of ``GET /v1/live``: server-sent events over httpx, one after the other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import httpx

PATIENCE_SECONDS: Final = 60.0


class Event(NamedTuple):
    """One event: its name, its data, and the last event id behind it."""

    name: str
    data: Any
    id: str


class LiveStream:
    """An open stream. ``last_id`` is what the client would send as ``Last-Event-ID``."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.last_id = ""
        self.retry = 0
        self.comments = 0
        self._lines = response.aiter_lines()
        self._name = ""
        self._data: list[str] = []

    async def next(self) -> Event | None:
        """Returns the next event; None when the stream has ended."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                while True:
                    event = self._take(await anext(self._lines))
                    if event is not None:
                        return event
            except StopAsyncIteration:
                return None

    async def named(self, name: str) -> Any:
        """Returns the data of the next event, which has this name."""
        found = await self.next()
        assert found is not None, f"the stream ended before {name}"
        assert found.name == name, found
        return found.data

    async def some(self, number: int) -> list[Event]:
        """Returns the next events."""
        found = [await self.next() for _ in range(number)]
        return [event for event in found if event is not None]

    async def line(self) -> None:
        """Reads one line, which ends no event."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert self._take(await anext(self._lines)) is None

    def _take(self, line: str) -> Event | None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            name, data = self._name, self._data
            self._name, self._data = "", []
            return Event(name, json.loads("\n".join(data)), self.last_id) if data else None
        if not field:
            self.comments += 1
        elif field == "event":
            self._name = value
        elif field == "data":
            self._data.append(value)
        elif field == "id":
            self.last_id = value
        elif field == "retry":
            self.retry = int(value)
        return None


@asynccontextmanager
async def following(client: httpx.AsyncClient, last_id: str | None = None, **params: str) -> AsyncIterator[LiveStream]:
    """Opens a stream with a client that sends an API key."""
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    async with client.stream("GET", "/v1/live", params=params, headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        yield LiveStream(response)
