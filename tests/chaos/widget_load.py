"""Load as from many widgets: concurrent visits, shares, views and returns, some repeated; records each response.

An acknowledged event (200) must be in the database once. One that was refused (503) or cut off is *owed*: it is sent
again, with its nonce, until it is acknowledged; it too must be there once, whether it was stored the first time or not.
"""

from __future__ import annotations

import asyncio
import random
import zlib
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from tests.support.raw_connection import ORIGIN, Connection, Cut, RawResponse, connected
from tests.support.server_process import PATIENCE_SECONDS

PAGES: Final = tuple(f"{ORIGIN}/page-{number}" for number in range(12))
_REMEMBERED: Final = 200
_LANGUAGES: Final = ("en", "de", "fr", "ja", "pt-BR")


class CollectCall(NamedTuple):
    """A collect call; ``key`` is the same for every time it is sent."""

    path: str
    key: str
    body: dict[str, Any]
    visit: str = ""


class WidgetLoad:
    """Plays browsers on ``pages`` of one site. ``visits`` are the acknowledged ones, id by nonce; ``first_pages`` are
    the addresses that they were reported with, by id, and ``shared_pages`` those of shares, by token. A browser waits
    ``pause`` seconds before its next visit.

    A refused browser goes on after ``rest`` seconds.
    """

    def __init__(self, site: str, name: str, rest: float = 0.0) -> None:
        self.pages = PAGES
        self.pause = 0.0
        self.visits: dict[str, str] = {}
        self.first_pages: dict[str, str] = {}
        self.shared_pages: dict[str, str] = {}
        self.reported: set[str] = set()
        self.views: dict[str, set[str]] = {}
        self.owed: dict[str, CollectCall] = {}
        self.refused = 0
        self.cut = 0
        self._site = site
        self._name = name
        self._rest = rest
        self._random = random.Random(name)  # noqa: S311
        self._drawn = 0
        self._today = str(datetime.now(UTC).date())
        self._sessions: list[tuple[str, str]] = []
        self._tokens: list[str] = []
        self._session_of: dict[str, str] = {}
        self._sent: deque[CollectCall] = deque(maxlen=_REMEMBERED)
        self._steps = asyncio.Condition()
        self._waiting: set[object] = set()

    @property
    def acknowledged(self) -> int:
        """How many events the server has said to be stored."""
        return len(self.visits) + len(self.reported) + sum(map(len, self.views.values()))

    @asynccontextmanager
    async def on(self, *ports: int, browsers: int = 8) -> AsyncIterator[None]:
        """So many browsers on each of the servers while the block runs; those that are cut off stay away."""
        stopping = asyncio.Event()
        async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as group:
            for port in ports * browsers:
                group.create_task(self._browse(port, stopping))
            try:
                yield
            finally:
                stopping.set()

    async def reached(self, *, acknowledged: int = 0, refused: int = 0) -> None:
        """Returns when there were so many acknowledgements and refusals more than now."""
        enough = self.acknowledged + acknowledged, self.refused + refused
        async with self._steps:
            await self._steps.wait_for(lambda: self.acknowledged >= enough[0] and self.refused >= enough[1])

    async def answered(self) -> None:
        """Returns once every request that is now under way has its response."""
        waiting = set(self._waiting)
        async with self._steps:
            await self._steps.wait_for(lambda: waiting.isdisjoint(self._waiting))

    async def settle(self, port: int) -> None:
        """Sends what is owed again, once; the server must acknowledge all of it."""
        await self.send_owed(port)
        assert not self.owed

    async def send_owed(self, port: int) -> None:
        """Sends what is owed again, once. Raises Cut when the server goes away meanwhile."""
        async with asyncio.timeout(PATIENCE_SECONDS), connected(port) as connection:
            for call in list(self.owed.values()):
                await self._send(connection, call)

    async def repeat(self, port: int) -> None:
        """Repeats the latest calls; the server must recognise them and store nothing new."""
        async with connected(port) as connection:
            for call in self._sent:
                await self._send(connection, call)

    async def _browse(self, port: int, stopping: asyncio.Event) -> None:
        try:
            async with connected(port) as connection:
                while not stopping.is_set():
                    await self._read_on(connection)
                    await asyncio.sleep(self.pause)
        except Cut:
            self.cut += 1

    async def _read_on(self, connection: Connection) -> None:
        """A visit, half of them through a shared link; then perhaps a share and a view."""
        visit: dict[str, Any] = {"nonce": self._nonce(), "day": self._today, "channels": ["copy", "whatsapp"]}
        if self._tokens and self._random.random() < 0.5:
            visit |= {"token": self._random.choice(self._tokens[-50:]), "own": self._random.random() < 0.1}
        await self._call(connection, "/v1/visits", visit["nonce"], visit)
        if self._tokens and self._random.random() < 0.5:
            token = self._random.choice(self._tokens[-20:])
            await self._call(connection, "/v1/shares", token, {"token": token, "session": self._session_of[token]})
        if self._sessions and self._random.random() < 0.5:
            session, named = self._random.choice(self._sessions[-20:])
            nonce = self._nonce()
            await self._call(connection, "/v1/views", nonce, {"session": session, "nonce": nonce}, named)

    async def _call(self, connection: Connection, path: str, key: str, body: dict[str, Any], visit: str = "") -> None:
        page = self._random.choice(self.pages)
        call = CollectCall(path, key, {"site": self._site, "url": page} | body, visit)
        self._sent.append(call)
        for _ in range(2 if self._random.random() < 0.2 else 1):
            await self._send(connection, call)

    async def _send(self, connection: Connection, call: CollectCall) -> None:
        if not self._is_acknowledged(call):
            self.owed[call.key] = call
        language = _LANGUAGES[zlib.crc32(call.key.encode()) % len(_LANGUAGES)]
        self._waiting.add(waits := object())
        try:
            answer = await connection.ask("POST", call.path, call.body, **{"accept-language": language})
        finally:
            self._waiting.remove(waits)
        if answer.status == 503:
            assert (answer.json()["code"], int(answer.headers["retry-after"]) > 0) == ("busy", True)
            self.refused += 1
            await asyncio.sleep(self._rest)
        else:
            assert answer.status == 200, (call, answer)
            self._acknowledge(call, answer)
        async with self._steps:
            self._steps.notify_all()

    def _is_acknowledged(self, call: CollectCall) -> bool:
        seen: dict[str, Any] = {"/v1/visits": self.visits, "/v1/shares": self.reported}
        return call.key in seen.get(call.path, self.views.get(call.visit, ()))

    def _acknowledge(self, call: CollectCall, answer: RawResponse) -> None:
        self.owed.pop(call.key, None)
        body = answer.json()
        if call.path == "/v1/visits":
            assert self.visits.setdefault(call.key, body["visit"]) == body["visit"], "a repeat became another visit"
            self.first_pages.setdefault(body["visit"], call.body["url"])
            self._sessions.append((body["session"], body["visit"]))
            self._tokens.extend(body["tokens"].values())
            self._session_of |= dict.fromkeys(body["tokens"].values(), body["session"])
        elif call.path == "/v1/shares":
            self.reported.add(call.key)
            self.shared_pages.setdefault(call.key, call.body["url"])
            self._tokens.append(body["next"])
            self._session_of[body["next"]] = call.body["session"]
        else:
            self.views.setdefault(call.visit, set()).add(call.key)

    def _nonce(self) -> str:
        self._drawn += 1
        return f"{self._name}-{self._drawn:016}"
