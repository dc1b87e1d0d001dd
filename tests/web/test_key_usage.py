"""When a key was last used is stored at most about once a minute, and no request waits for that."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
import pytest

from grapevine.errors import StoreError
from grapevine.store.repositories.api_keys import ApiKeyRepository
from grapevine.web.key_usage import EVERY_MS
from tests.support.in_process_server import BOTH_BACKENDS, Server
from tests.web.dashboard.dashboard_browser import HOME, add_key

pytestmark = pytest.mark.anyio

Writes = asyncio.Queue[dict[str, int]]


@pytest.fixture
def writes(server: Server, monkeypatch: pytest.MonkeyPatch) -> Writes:
    """What was stored, as it is stored."""
    found = Writes()
    real = server.store.api_keys.used

    async def used(times: Mapping[str, int]) -> None:
        await real(times)
        found.put_nowait(dict(times))

    monkeypatch.setattr(server.store.api_keys, "used", used)
    return found


async def ask(server: Server, secret: str) -> httpx.Response:
    return await server.http.get("/v1/stats/summary", headers={"Authorization": f"Bearer {secret}"})


async def stored(server: Server, writes: Writes) -> int | None:
    """The last use of the first key after the next write, which is the only one so far."""
    times = await asyncio.wait_for(writes.get(), 20)
    assert list(times) == ["id-gv_abc"]
    assert writes.empty()
    return (await server.store.api_keys.keys(1))[0].last_used_at


@BOTH_BACKENDS
async def test_a_busy_key_is_written_once_a_minute(server: Server, writes: Writes) -> None:
    await add_key(server, "gv_abc")
    assert (await server.store.api_keys.keys(1))[0].last_used_at is None
    start = server.clock.now
    for _ in range(20):
        assert (await ask(server, "gv_abc")).status_code == 200
    assert await stored(server, writes) == start
    server.clock.now = start + EVERY_MS - 1
    await ask(server, "gv_abc")
    await server.browser(Origin=HOME).post("/sign-in", data={"key": "gv_abc"})
    server.clock.now = start + EVERY_MS
    await ask(server, "gv_abc")
    assert await stored(server, writes) == start + EVERY_MS


@BOTH_BACKENDS
async def test_processes_do_not_write_the_same_minute_twice(server: Server) -> None:
    await add_key(server, "gv_abc")
    keys: ApiKeyRepository = server.store.api_keys
    for at, expected in ((100_000, 100_000), (110_000, 100_000), (90_000, 100_000), (131_000, 131_000)):
        await keys.used({"id-gv_abc": at, "id-of-nobody": at})
        assert (await keys.keys(1))[0].last_used_at == expected


async def test_keys_that_are_not_used_any_more_are_forgotten(server: Server) -> None:
    usage = server.state.key_usage
    for minute in range(3):
        for number in range(50):
            usage.note(f"key {minute} {number}")
        server.clock.now += EVERY_MS
    usage.note("another key")
    assert usage.remembered == 1


async def test_a_page_of_the_dashboard_is_a_use(server: Server, writes: Writes) -> None:
    await add_key(server, "gv_abc")
    client = server.browser(Origin=HOME)
    await client.post("/sign-in", data={"key": "gv_abc"})
    await client.get("/")
    assert await stored(server, writes) == server.clock.now


async def test_a_wrong_key_is_no_use(server: Server, writes: Writes) -> None:
    await add_key(server, "gv_abc")
    assert (await ask(server, "gv_xyz")).status_code == 401
    await ask(server, "gv_abc")
    assert await stored(server, writes) == server.clock.now


async def test_a_store_that_takes_no_writes_answers_all_the_same(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await add_key(server, "gv_abc")
    failed = asyncio.Event()

    async def used(_: Mapping[str, int]) -> None:
        failed.set()
        raise StoreError("read only")

    monkeypatch.setattr(server.store.api_keys, "used", used)
    assert (await ask(server, "gv_abc")).status_code == 200
    async with asyncio.timeout(20):
        await failed.wait()
    await asyncio.sleep(0)
    assert "read only" in caplog.text
