"""The live feed of servers that share a PostgreSQL database: each sends what any of them stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from grapevine.config.settings import Settings
from tests.support.in_process_server import ORIGIN, Server, serving
from tests.support.live_stream import following
from tests.web.api.test_read_api import with_key

pytestmark = pytest.mark.anyio


@pytest.fixture
async def servers(postgres_url: str, anyio_backend: str) -> AsyncIterator[list[Server]]:
    """Two servers on one database, each with connections, slots and caches of its own, as two processes have."""
    assert anyio_backend == "asyncio"
    settings = Settings(database=postgres_url, secret_keys=(b"k" * 32,), rate_limit=0, trusted_proxies=("127.0.0.1",))
    async with AsyncExitStack() as stack:
        found = [await stack.enter_async_context(serving(settings)) for _ in range(2)]
        await found[0].add_site("site-a", ORIGIN)
        found[1].clock.now = found[0].clock.now
        yield found
        for server in found:
            await server.hang_up()


def reader_of(server: Server) -> httpx.AsyncClient:
    return server.browser(Authorization="Bearer reader")


async def test_each_server_sends_what_any_of_them_stores(servers: list[Server]) -> None:
    one, other = servers
    await with_key(one, "reader")
    async with following(reader_of(one)) as stream, following(reader_of(other)) as second:
        await stream.named("start")
        await second.named("start")
        visits = {(await server.visit())["visit"] for server in (one, other, one)}
        assert {event.data["visit"] for event in await stream.some(3)} == visits
        assert {event.data["visit"] for event in await second.some(3)} == visits


async def test_a_reader_resumes_on_another_server(servers: list[Server]) -> None:
    one, other = servers
    await with_key(one, "reader")
    async with following(reader_of(one)) as stream:
        await stream.named("start")
        seen = [(await server.visit())["visit"] for server in (one, other)]
        assert {event.data["visit"] for event in await stream.some(2)} == set(seen)
        last = stream.last_id
    missed = {(await server.visit())["visit"] for server in (other, one)}
    async with following(reader_of(other), last) as stream:
        assert (await stream.named("start"))["resumed"]
        assert {event.data["visit"] for event in await stream.some(2)} == missed
        visit = await one.visit()
        assert (await stream.named("visit"))["visit"] == visit["visit"]


async def test_what_one_server_erased_another_does_not_send_from_its_queue(servers: list[Server]) -> None:
    one, other = servers
    await with_key(one, "reader")
    async with following(reader_of(other)) as stream:
        await stream.named("start")
        channel = other.state.live._channels[1]  # noqa: SLF001
        (reader,) = channel.readers
        await one.visit()
        await stream.named("visit")
        reader.hold()  # a reader whose connection is full
        third = await one.visit()
        answer = await one.http.post("/v1/forget", json={"site": one.site, "session": third["session"]})
        assert answer.status_code == 200
        fourth = await other.visit()
        reader._is_behind = True  # noqa: SLF001  # as an erasure leaves it that finds something in the queue
        reader._woken.set()  # noqa: SLF001
        assert (await stream.named("visit"))["visit"] == fourth["visit"]


async def test_many_batches_at_once_are_all_sent(servers: list[Server]) -> None:
    one, other = servers
    await with_key(one, "reader")
    async with following(reader_of(other)) as stream:
        await stream.named("start")
        visits = await asyncio.gather(*(server.visit() for server in (one, other) * 20))
        seen = [event.data["visit"] for event in await stream.some(40)]
        assert sorted(seen) == sorted(visit["visit"] for visit in visits)


async def test_a_server_that_starts_again_goes_on_where_it_stopped(tmp_path: Path, anyio_backend: str) -> None:
    assert anyio_backend == "asyncio"
    settings = Settings(
        database=f"sqlite:///{tmp_path / 'grapevine.sqlite3'}",
        secret_keys=(b"k" * 32,),
        rate_limit=0,
        trusted_proxies=("127.0.0.1",),
    )
    async with serving(settings) as server:
        await server.add_site("site-a", ORIGIN)
        await with_key(server, "reader")
        async with following(reader_of(server)) as stream:
            await stream.named("start")
            await server.visit()
            await stream.named("visit")
            last = stream.last_id
            server.state.live.close()
            missed = [(await server.visit())["visit"]]
            assert (await stream.named("end"))["reason"] == "shutting-down"
        await server.hang_up()
    async with serving(settings) as server:
        server.clock.now += 2_000
        missed.append((await server.visit())["visit"])
        async with following(reader_of(server), last) as stream:
            assert (await stream.named("start"))["resumed"]
            assert [event.data["visit"] for event in await stream.some(2)] == missed
        await server.hang_up()
