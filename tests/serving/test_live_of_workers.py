"""The live feed of ``serve --workers 2``: every stream is sent what any worker stores, whatever worker it is at.

``tests/web/test_live_across_processes.py`` shows the same in one process, more quickly.
"""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.serving.test_supervisor import serving
from tests.support.grapevine_process import CommandRunner, PostgresCommandRunner, browser, visit
from tests.support.live_stream import LiveStream, following

pytestmark = [pytest.mark.slow, pytest.mark.process, pytest.mark.anyio]

STREAMS = 6
VISITS = 12


@pytest.fixture
def machine(anyio_backend: str, tmp_path: Path, postgres_url: str) -> CommandRunner:
    assert anyio_backend == "asyncio"
    return PostgresCommandRunner(tmp_path, postgres_url)


def visits(url: str, site: str, numbers: range) -> set[str]:
    """Visits over a connection each, so that both workers get some; returns their ids."""
    found = set()
    for number in numbers:
        with browser(url) as client:
            answer = visit(client, site, number)
            assert answer.status_code == 200, answer.text
            found.add(answer.json()["visit"])
    return found


async def seen(stream: LiveStream) -> set[str]:
    return {event.data["visit"] for event in await stream.some(VISITS)}


async def test_streams_of_all_workers_and_their_end(machine: CommandRunner) -> None:
    site = machine.add_site()
    key = json.loads(machine.run("key", "add", site, "--scope", "read", "--json").stdout)["key"]
    with machine.serving("--workers", "2") as (process, url):
        assert {serving(process)[0], serving(process)[0]} == {1, 2}
        async with AsyncExitStack() as stack:
            streams = []
            for _ in range(STREAMS):
                client = httpx.AsyncClient(
                    base_url=url, headers={"Authorization": f"Bearer {key}"}, trust_env=False, timeout=60
                )
                await stack.enter_async_context(client)
                streams.append(await stack.enter_async_context(following(client)))
            for stream in streams:
                await stream.named("start")
            stored = await asyncio.to_thread(visits, url, site, range(VISITS))
            for found in await asyncio.gather(*map(seen, streams)):
                assert found == stored
            process.send_signal(signal.SIGTERM)
            for stream in streams:
                assert (await stream.named("end"))["reason"] == "shutting-down"
                assert await stream.next() is None
        assert await asyncio.to_thread(process.wait, 60) == 0
