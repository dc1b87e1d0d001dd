"""Several processes on one database: a change by one of them, or by a command, soon reaches all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from tests.support.raw_connection import Connection, RawResponse, connected
from tests.support.server_process import PostgresInstallation

pytestmark = pytest.mark.anyio

SOON_SECONDS: Final = 30.0
"""The servers look once a second; how soon a busy machine comes to it is not asserted."""


async def test_sites_and_keys_are_known_to_all(postgres_url: str, tmp_path: Path) -> None:
    installation = PostgresInstallation(postgres_url, tmp_path)
    with installation.serving() as one, installation.serving() as other:
        both = one.port, other.port
        added = json.loads(installation.run("site", "add", "Late", "--origin", "https://late.example").out)
        await _soon(both, lambda browser: _visit(browser, added["site"]), 200)
        await _soon(both, lambda browser: _summary(browser, added["key"]), 200)
        installation.run("site", "set", added["site"], "origin=https://moved.example")
        await _soon(both, lambda browser: _visit(browser, added["site"]), 403)
        keys = json.loads(installation.run("key", "list", added["site"], "--json").out)
        installation.run("key", "revoke", keys[0]["id"])
        await _soon(both, lambda browser: _summary(browser, added["key"]), 401)


async def _soon(ports: Sequence[int], ask: Callable[[Connection], Awaitable[RawResponse]], status: int) -> None:
    async with asyncio.timeout(SOON_SECONDS):
        for port in ports:
            async with connected(port) as browser:
                while True:
                    answer = await ask(browser)
                    if answer.status == status:
                        break
                    await asyncio.sleep(0.05)


async def _visit(browser: Connection, site: str) -> RawResponse:
    body = {"site": site, "url": "https://late.example/", "nonce": "a" * 16, "channels": ["copy"]}
    return await browser.ask("POST", "/v1/visits", body, origin="https://late.example")


async def _summary(browser: Connection, key: str) -> RawResponse:
    return await browser.ask("GET", "/v1/stats/summary", authorization=f"Bearer {key}")
