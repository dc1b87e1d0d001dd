"""An honest crowd: an office behind one IPv4 address whose people all open the site at nine o'clock.

They do no harm, so nothing of theirs is refused: no call, and no connection, though each browser keeps two open.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import Counter
from concurrent.futures import Executor
from contextlib import AsyncExitStack
from typing import Any, Final

from tests.support.attacked_server import AttackedInstallation
from tests.support.raw_connection import ORIGIN, Connection, Cut, RawResponse, connected

PEOPLE: Final = 180
ARRIVING_SECONDS: Final = 3.0
"""Everybody opens a first page within so many seconds."""
READING_SECONDS: Final = 6.0
PAGE_SECONDS: Final = 20.0
"""A person opens another page every so many seconds on average; all of them nine a second."""
SHARING: Final = 0.05
"""Of so many pages a person shares one."""


class Lane:
    """A connection that a browser keeps open and uses for one request after the other."""

    def __init__(self, port: int, stack: AsyncExitStack) -> None:
        self._port = port
        self._stack = stack
        self._open: Connection | None = None

    async def ask(self, method: str, path: str, body: object = None) -> RawResponse:
        """Sends a request. As browsers do, opens a new connection for it where the server has closed the one before.

        Raises Cut when the server closes a new connection without an answer.
        """
        if self._open is not None:
            try:
                return await self._open.ask(method, path, body)
            except Cut:
                await self._open.close()
        self._open = await self._stack.enter_async_context(connected(self._port))
        return await self._open.ask(method, path, body)


class Person:
    """A browser with two connections: one for scripts and counts, one for what the widget reports."""

    def __init__(self, port: int, site: str, number: int, stack: AsyncExitStack, seen: Counter[str]) -> None:
        self._files, self._calls = Lane(port, stack), Lane(port, stack)
        self._site = site
        self._page = f"{ORIGIN}/page-{number % 12}"
        self._seen = seen

    async def read_page(self, *, goes_on: bool, shares: bool) -> None:
        """Opens a page, perhaps follows a link within it, perhaps shares it."""
        await self._ask(self._files, "GET", "/widget.js")
        visit = await self._call("visits", nonce=secrets.token_hex(16), channels=["copy"])
        await self._ask(self._files, "GET", f"/v1/counts?site={self._site}&url={self._page}")
        if visit is None:
            return
        if goes_on:
            await self._call("views", nonce=secrets.token_hex(16), session=visit["session"])
        if shares:
            await self._call("shares", token=visit["tokens"]["copy"], session=visit["session"])

    async def _call(self, name: str, **fields: Any) -> Any:
        body = {"site": self._site, "url": self._page} | fields
        answer = await self._ask(self._calls, "POST", f"/v1/{name}", body)
        return answer.json() if answer is not None and answer.status == 200 else None

    async def _ask(self, lane: Lane, method: str, path: str, body: object = None) -> RawResponse | None:
        name = path.partition("?")[0]
        try:
            answer = await lane.ask(method, path, body)
        except Cut:
            self._seen[f"{name} closed"] += 1
            return None
        self._seen[f"{name} {answer.status}"] += 1
        return answer


async def _work_day(port: int, site: str) -> Counter[str]:
    chance, seen = random.Random(1), Counter[str]()  # noqa: S311
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        people = [Person(port, site, number, stack, seen) for number in range(PEOPLE)]

        async def work(person: Person) -> None:
            at = chance.uniform(0, ARRIVING_SECONDS)
            await asyncio.sleep(at)
            await person.read_page(goes_on=False, shares=False)
            while (pause := chance.expovariate(1 / PAGE_SECONDS)) < ARRIVING_SECONDS + READING_SECONDS - at:
                at += pause
                await asyncio.sleep(pause)
                await person.read_page(goes_on=True, shares=chance.random() < SHARING)

        for person in people:
            group.create_task(work(person))
    return seen


def work_day(port: int, site: str) -> Counter[str]:
    """The first seconds of the day of an office; returns how often each request was answered with which status."""
    return asyncio.run(_work_day(port, site))


def test_everybody_in_an_office_opens_the_site_at_nine(attacked: AttackedInstallation, attackers: Executor) -> None:
    with attacked.attacked() as server:
        with server.harmless():
            seen = attackers.submit(work_day, server.port, server.sites[0].site).result()
        print(dict(seen))
        assert {answer.rpartition(" ")[2] for answer in seen} == {"200"}, seen
        assert seen["/v1/visits 200"] > PEOPLE
        assert seen["/v1/views 200"] == seen["/v1/visits 200"] - PEOPLE
        assert seen["/v1/shares 200"] > 0
        assert server.log == ""
        assert server.end().status == 0
