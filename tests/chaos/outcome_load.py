"""People whose visits, conversions and answers make events of webhooks: each of them reports until it is acknowledged,
however often the server is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from tests.support.raw_connection import ORIGIN, Cut, RawResponse, connected, request
from tests.support.server_process import PATIENCE_SECONDS, Installation

FRIENDS: Final = 22
"""Who comes through the share of a round: a spike, and a cascade that passes its milestone of 10, but not that of 30
with those who come through the friends' own shares."""


def page_of(number: int) -> str:
    """Returns the page of a round."""
    return f"{ORIGIN}/page-{number}"


class OutcomeLoad:
    """One round after the other shares a page of its own. ``acknowledged`` reports of this round, and ``cut`` ones."""

    def __init__(self, installation: Installation) -> None:
        self.acknowledged = 0
        self.cut = 0
        self._site = installation.site
        self._key = {"authorization": f"Bearer {installation.key}"}
        self._port = 0
        self._is_open = asyncio.Event()
        self._steps = asyncio.Condition()

    def open(self, port: int) -> None:
        """Says where the server listens: whoever waits for it goes on."""
        self._port = port
        self._is_open.set()

    def close(self) -> None:
        """Says that the server is about to be killed: nobody asks it any more, and what was asked stays asked."""
        self._is_open.clear()

    async def reached(self, acknowledged: int) -> None:
        """Returns once so many reports of this round are acknowledged."""
        async with asyncio.timeout(PATIENCE_SECONDS), self._steps:
            await self._steps.wait_for(lambda: self.acknowledged >= acknowledged)

    async def play(self, number: int) -> None:
        """Plays a round to its end."""
        self.acknowledged = 0
        root = await self._visit(number, "root")
        async with asyncio.TaskGroup() as group:
            for friend in range(FRIENDS):
                group.create_task(self._friend(number, friend, root["tokens"]["copy"]))

    async def mention(self, number: int, source: str) -> None:
        """Sends the webmention of a page elsewhere until it is accepted."""
        form = urlencode({"source": source, "target": page_of(number)}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(form))}
        sent = request("POST", "/webmention", headers={**headers, "x-forwarded-for": f"52.{number}.0.1"}) + form
        assert (await self._answered(sent)).status == 202

    async def ask(self, path: str, body: object, headers: Mapping[str, str] | None = None, status: int = 200) -> Any:
        """Asks until there is an answer, of this server or of a later one."""
        answer = await self._answered(request("POST", path, body, headers))
        assert answer.status == status, (path, body, answer)
        async with self._steps:
            self.acknowledged += 1
            self._steps.notify_all()
        return answer.json()

    async def _answered(self, sent: bytes) -> RawResponse:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                await self._is_open.wait()
                try:
                    async with connected(self._port) as connection:
                        await connection.send(sent)
                        return await connection.answer()
                except Cut:
                    self.cut += 1

    async def _visit(self, number: int, name: str, address: Sequence[int] = (0, 1), **fields: str) -> Any:
        visit = {
            "site": self._site,
            "url": page_of(number),
            "nonce": f"visit-{number:010}-{name}",
            "channels": ["copy"],
        }
        headers = {"x-forwarded-for": ".".join(map(str, (51, number, *address)))}
        return await self.ask("/v1/visits", visit | fields, headers)

    async def _friend(self, number: int, friend: int, token: str) -> None:
        """Comes through the share; most reach a goal, are sold something by a key, or say how they have heard of it."""
        name = f"{number}-{friend}"
        visit = await self._visit(number, f"{friend}", (friend, 2), token=token)
        page: dict[str, Any] = {"site": self._site, "session": visit["session"]}
        sold = {"visit": visit["visit"], "goal": "order", "value": "49.00", "currency": "EUR"}
        if friend % 2 == 0:
            await self.ask("/v1/conversions", page | {"goal": "signup", "nonce": f"{'signup-' + name:0>16}"})
        if friend % 3 == 0:
            await self.ask("/v1/conversions", sold | {"id": f"K-{name}"}, self._key)
        if friend % 6 == 0:
            back = {"goal": "order", "refund_of": f"K-{name}", "id": f"R-{name}", "value": "-9.00", "currency": "EUR"}
            await self.ask("/v1/conversions", back, self._key)
        if friend % 4 == 1:  # the key's report replaces that of the page
            claimed = {"goal": "order", "id": f"C-{name}", "nonce": f"{'claim-' + name:0>16}"}
            await self.ask("/v1/conversions", page | claimed)
            await self.ask("/v1/conversions", sold | {"id": f"C-{name}"}, self._key)
        if friend % 5 == 0:
            await self.ask("/v1/answers", page | {"text": f"a friend {name}", "nonce": f"{'answer-' + name:0>16}"})
        if friend % 5 == 1:
            told = {"text": f"the radio {name}", "nonce": f"{'told-' + name:0>16}"}
            await self.ask("/v1/answers", told, self._key)
        if friend % 7 == 0:
            await self._visit(number, f"{friend}-on", (friend, 3), token=visit["tokens"]["copy"])
