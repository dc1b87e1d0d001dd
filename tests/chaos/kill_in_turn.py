"""Kills one of two servers on a database, again and again, while the other one goes on."""

from __future__ import annotations

import random
from contextlib import ExitStack

from tests.chaos.audit import holds_there
from tests.chaos.widget_load import WidgetLoad
from tests.support.server_process import PostgresInstallation


async def killed_in_turn(installation: PostgresInstallation, load: WidgetLoad, kills: int) -> None:
    """Kills one of two servers on a database and starts a new one, ``kills`` times; both then end with status 0."""
    moments = random.Random(1)  # noqa: S311
    with ExitStack() as stack:
        servers = [stack.enter_context(installation.serving()) for _ in range(2)]
        for turn in range(kills):
            async with load.on(*(server.port for server in servers)):
                await load.reached(acknowledged=moments.randint(1, 60))
                servers[turn % 2].kill()
                await load.reached(acknowledged=30)
            await holds_there(installation.url, load)
            servers[turn % 2] = stack.enter_context(installation.serving())
            await load.settle(servers[turn % 2].port)
            await load.repeat(servers[1 - turn % 2].port)
        assert [server.end().status for server in servers] == [0, 0]
