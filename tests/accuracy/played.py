"""Whole worlds simulated on a whole server, on simulated time: its numbers compared with the truth."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from grapevine.config.settings import Settings
from grapevine.simulate.parameters import Parameters
from grapevine.simulate.player import CollectAnswer, Player, Target
from grapevine.simulate.report import ComparisonReport, check
from grapevine.simulate.world import World
from grapevine.sites.api_keys import add_key
from grapevine.sites.management import find_site
from grapevine.writer.verdict_job import VerdictJob
from tests.accuracy.scanner_worlds import LISTED
from tests.support.in_process_server import NOON, ORIGIN, Server, serving

HARD: Final = Parameters(
    lost=0.2, retried=0.05, late=0.3, conversions=0.05, stripped=0.06, suspects=1.0, mail_checks=True
)
"""A fifth of the reports of shares are lost, a third arrive after the visits they led to, one in twenty requests comes
twice; disguised bots have their default frequency."""
_HOUR_MS: Final = 3_600_000


async def played(seed: int, parameters: Parameters = HARD) -> ComparisonReport:
    """Simulates one world. The verdict job runs each simulated hour, and at the end."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            database=f"sqlite:///{Path(folder) / 'world.sqlite3'}",
            secret_keys=(b"k" * 32,),
            rate_limit=0,
            trusted_proxies=("127.0.0.1",),
            scanner_networks=(LISTED,),
        )
        async with serving(settings) as server:
            await server.add_site("site-a", ORIGIN)
            world = World(seed, parameters)
            await _Played(server, world).play()
            site = await find_site(server.store.sites, server.site)
            key = (await add_key(server.store.api_keys, [site], "read", "accuracy", NOON)).secret
            report = await check(world.truth, server.api(key))
            await server.hang_up()
            return report


class _Played(Player):
    """A player that runs the verdict job on simulated time."""

    def __init__(self, server: Server, world: World) -> None:
        super().__init__(server.http, Target(server.site, ORIGIN), world, server.clock, self._move)
        self._server = server
        self._judge = VerdictJob(server.store, server.state.writer.recorder)
        self._judged_at = 0

    def _move(self, now: int) -> None:
        self._server.clock.now = now

    async def _post(self, *arguments: object) -> CollectAnswer:
        now = self._server.clock.now
        if now - self._judged_at >= _HOUR_MS:
            self._judged_at = now
            await self._judge.run(now)
        return await super()._post(*arguments)  # type: ignore[arg-type]

    async def play(self) -> None:
        await super().play()
        self._server.clock.now += _HOUR_MS
        await self._judge.run(self._server.clock.now)
