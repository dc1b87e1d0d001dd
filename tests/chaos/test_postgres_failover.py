"""A standby takes over under load: collecting goes on there without a restart, and no acknowledged event is lost."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.audit import settled_there
from tests.chaos.widget_load import WidgetLoad
from tests.support.postgres import Postgres, postgres
from tests.support.server_process import PATIENCE_SECONDS, PostgresInstallation

pytestmark = pytest.mark.anyio

REST_SECONDS: Final = 0.2


@pytest.mark.parametrize("way", ["crashed", pytest.param("silent", marks=pytest.mark.slow)])
async def test_the_standby_takes_over(way: str, tmp_path: Path) -> None:
    """From a primary that has crashed, or whose machine no longer responds."""
    with ExitStack() as stack:
        primary = stack.enter_context(postgres(durable=True))
        name = primary.create()
        standby = stack.enter_context(postgres(durable=True, of=primary))
        await _wait_for_each_other(primary)
        both = f"postgresql://postgres@/{name}?host={primary.folder},{standby.folder}"
        installation = PostgresInstallation(both, tmp_path)
        load = WidgetLoad(installation.site, f"failover-{way}", REST_SECONDS)
        servers = [stack.enter_context(installation.serving()) for _ in range(2)]
        async with load.on(*(server.port for server in servers)):
            await load.reached(acknowledged=200)
            if way == "crashed":
                await asyncio.to_thread(primary.stop, "immediate")
            else:
                stack.enter_context(primary.frozen())
            await asyncio.to_thread(standby.promote)
            await load.reached(acknowledged=200)
        assert load.cut == 0
        for server in servers:
            await load.settle(server.port)
            await load.repeat(server.port)
            assert server.end().status == 0
        await settled_there(standby.url(name), load)


async def _wait_for_each_other(primary: Postgres) -> None:
    """From now on a COMMIT returns when the standby has it too."""
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    primary.sql("SELECT pg_reload_conf()")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if primary.sql("SELECT sync_state FROM pg_stat_replication").strip() == "sync":
                return
            await asyncio.sleep(0.05)
