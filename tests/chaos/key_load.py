"""Visits, shares and follows that cross between servers: a token of one of them is used at another."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tests.support.raw_connection import ORIGIN, RawResponse, connected

_CLIENTS: Final = 3
_REMEMBERED: Final = 50


class KeyLoad:
    """Clients of one site. ``ports`` may change while they run; ``refused`` are the answers that should not be."""

    def __init__(self, site: str) -> None:
        self.ports: list[int] = []
        self.refused: list[tuple[str, RawResponse]] = []
        self.tokens: list[str] = []
        self.rounds = 0
        self._site = site
        self._random = random.Random(site)  # noqa: S311
        self._busy: dict[int, int] = {}
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def on(self, *ports: int) -> AsyncIterator[None]:
        """Runs the clients as long as the block runs."""
        self.ports = list(ports)
        ending = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for _ in range(_CLIENTS):
                group.create_task(self._client(ending))
            try:
                yield
            finally:
                ending.set()

    async def some(self, rounds: int = 20) -> None:
        """Waits for that many further rounds that began from now on."""
        wanted = self.rounds + rounds + _CLIENTS
        async with self._changed:
            await self._changed.wait_for(lambda: self.rounds >= wanted or self.refused)

    async def leave(self, port: int) -> None:
        """Sends nothing more to a server, and waits until it has answered."""
        self.ports.remove(port)
        async with self._changed:
            await self._changed.wait_for(lambda: not self._busy.get(port))

    async def check(self, port: int, token: str) -> None:
        """Follows a link, and opens its short link, at one server."""
        await self._ask(port, "POST", "/v1/visits", self._visit(token))
        await self._ask(port, "GET", f"/s/{token}")

    async def _client(self, ending: asyncio.Event) -> None:
        while not ending.is_set() and not self.refused:
            await self._round()
            async with self._changed:
                self.rounds += 1
                self._changed.notify_all()

    async def _round(self) -> None:
        sharer = (await self._ask(self._port(), "POST", "/v1/visits", self._visit(self._known()))).json()
        token = sharer["tokens"]["copy"]
        share = {"site": self._site, "token": token, "url": f"{ORIGIN}/a", "session": sharer["session"]}
        following = (await self._ask(self._port(), "POST", "/v1/shares", share)).json()["next"]
        await self._ask(self._port(), "POST", "/v1/visits", self._visit(token))
        await self._ask(self._port(), "GET", f"/s/{token}")
        self.tokens += [token, following]

    async def _ask(self, port: int, method: str, path: str, body: object = None) -> RawResponse:
        self._busy[port] = self._busy.get(port, 0) + 1
        try:
            async with connected(port) as browser:
                response = await browser.ask(method, path, body)
        finally:
            self._busy[port] -= 1
            async with self._changed:
                self._changed.notify_all()
        if response.status not in (200, 302) or "grapevine-dropped" in response.headers:
            self.refused.append((path, response))
        return response

    def _visit(self, token: str | None) -> dict[str, object]:
        nonce = f"{self._random.getrandbits(96):024x}"
        visit: dict[str, object] = {"site": self._site, "url": f"{ORIGIN}/a", "nonce": nonce, "channels": ["copy"]}
        return visit if token is None else visit | {"token": token}

    def _known(self) -> str | None:
        return self._random.choice(self.tokens[-_REMEMBERED:]) if self.tokens else None

    def _port(self) -> int:
        return self._random.choice(self.ports)
