"""How many connections one address may have, and which of them give way to a new one."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest

from grapevine.config.logging import Seldom
from grapevine.serving.fast_path import limits
from grapevine.serving.fast_path.limits import ConnectionsPerAddress
from tests.serving.test_bounds import hang_up, listening, until
from tests.serving.test_bounds import missing as missing
from tests.support.raw_connection import Connection, Cut, connected

pytestmark = [pytest.mark.anyio]


async def test_the_connections_of_an_address(
    missing: list[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those beyond the bound are closed, until one of the others ends; the log says so once."""
    monkeypatch.setattr(limits.log, "filters", [Seldom()])  # the usual one remembers the test before
    async with listening(b"ok", addresses=ConnectionsPerAddress(3)) as server:
        port = urlsplit(server.url).port or 0
        ask = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"

        async def answered() -> bool:
            async with connected(port) as connection:
                try:
                    await connection.send(ask)
                    return (await connection.answer()).status == 200
                except Cut:
                    return False

        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        assert [await answered() for _ in range(5)] == [False] * 5
        held[0][1].close()
        async with asyncio.timeout(20):
            while not await answered():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await hang_up(*(writer for _, writer in held))
    assert [record.getMessage() for record in caplog.records[len(missing) :]] == [
        "an address has 3 connections, the most that GRAPEVINE_CONNECTIONS allows"
    ]


class Resting:
    """A connection that has rested since a time, or does not rest."""

    def __init__(self, since: float | None = None) -> None:
        self.since = since
        self.is_closed = False

    def rests_since(self) -> float | None:
        return self.since

    def end_rest(self) -> None:
        self.is_closed = True


def test_who_counts_as_one_address() -> None:
    counted, one = ConnectionsPerAddress(2, ["192.0.2.0/24"]), Resting()
    assert counted.enter("2001:db8:0:1::0", one)
    assert [counted.enter(f"2001:db8:0:1::{number}", Resting()) for number in range(1, 4)] == [True, False, False]
    assert counted.enter("2001:db8:0:2::1", Resting())
    assert all(counted.enter("192.0.2.7", Resting()) for _ in range(10))
    assert [
        counted.enter(address, Resting()) for address in ("198.51.100.1", "::ffff:198.51.100.1", "198.51.100.1")
    ] == [True, True, False]
    counted.leave("2001:db8:0:1::ffff", one)
    assert counted.enter("2001:db8:0:1::7", Resting())
    assert not counted.enter("2001:db8:0:1::8", Resting())
    assert all(ConnectionsPerAddress(0).enter("198.51.100.1", Resting()) for _ in range(10))


def test_a_new_connection_takes_the_place_of_the_one_that_has_rested_longest() -> None:
    counted = ConnectionsPerAddress(3)
    busy, _, early = open_ones = Resting(), Resting(9.0), Resting(2.0)
    assert all(counted.enter("198.51.100.1", each) for each in open_ones)
    assert counted.enter("198.51.100.1", Resting())
    assert [each.is_closed for each in open_ones] == [False, False, True]
    counted.leave("198.51.100.1", early)  # as it does once it is closed; its place is taken already
    assert counted.enter("198.51.100.1", Resting())
    assert [each.is_closed for each in open_ones] == [False, True, True]
    assert not counted.enter("198.51.100.1", Resting())
    assert not counted.enter("198.51.100.1", Resting(1.0))
    counted.leave("198.51.100.1", busy)
    assert counted.enter("198.51.100.1", Resting())


@pytest.mark.usefixtures("missing")
async def test_connections_between_two_requests_give_way() -> None:
    """One that was not asked anything yet, is in the middle of a request, or waits for its answer keeps its place."""
    hold = asyncio.Event()
    async with (
        asyncio.timeout(20),
        listening(b"ok", addresses=ConnectionsPerAddress(4), held_until=hold) as server,
        AsyncExitStack() as stack,
    ):
        port = urlsplit(server.url).port or 0
        ask = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"

        async def opened() -> Connection:
            return await stack.enter_async_context(connected(port))

        silent, begun, waiting, rested = [await opened() for _ in range(4)]
        for connection in (begun, rested):
            await connection.send(ask)
            assert (await connection.answer()).status == 200
        await begun.send(ask[:9])
        await waiting.send(ask.replace(b"/ ", b"/held "))
        await until(lambda: len(server.server_state.tasks) == 1)
        for _ in range(5):  # one after the other in the place of the fourth
            newer = await opened()
            await newer.send(ask)
            assert (await newer.answer()).status == 200
            await rested.ended()
            rested = newer
        hold.set()
        await silent.send(ask)
        await begun.send(ask[9:])
        assert [(await connection.answer()).status for connection in (silent, begun, waiting)] == [200] * 3
