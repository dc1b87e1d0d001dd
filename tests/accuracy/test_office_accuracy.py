"""A link in the chat of a company: everybody who opens it has the same address and one of a few browsers, and stays."""

from __future__ import annotations

import random
import secrets
from pathlib import Path
from typing import Final

import pytest

from grapevine.config.settings import Settings
from grapevine.writer.verdict_job import VerdictJob
from tests.support.in_process_server import NOON, ORIGIN, Server, serving
from tests.support.user_agents import CHROME

pytestmark = pytest.mark.anyio

OFFICE: Final = "203.0.113.9"
FLEET: Final = ((CHROME, 60), (CHROME.replace("Chrome/141", "Chrome/140"), 20),
                (CHROME.replace("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7"), 20))  # fmt: skip
LANGUAGES: Final = ("en", "de")
READS_ON: Final = 0.12
"""The share of people who turn to a second page; all others read one and leave."""
MEAN_MINUTES: Final = 4
"""Half of those who open a link in a chat do so within three minutes."""


class Office:
    """A server with one link, and people behind one address."""

    def __init__(self, server: Server, seed: int) -> None:
        self._server = server
        self._chance = random.Random(seed)  # noqa: S311
        self._judge = VerdictJob(server.store, server.state.writer.recorder)

    async def open_link(self, people: int) -> dict[int | None, int]:
        """So many people open it; returns how many visits got which verdict."""
        shared = await self._server.visit()
        times = sorted(round(self._chance.expovariate(1 / (MEAN_MINUTES * 60_000))) for _ in range(people))
        for at in times:
            self._server.clock.now = NOON + 2_000 + at
            await self._come(shared["tokens"]["copy"])
        for _ in range(200):
            self._server.clock.now += 30_000
            await self._judge.run(self._server.clock.now)
        rows = await self._server.store.look(
            "SELECT verdict, count(*) FROM visits WHERE parent_id IS NOT NULL GROUP BY verdict"
        )
        return dict(rows)

    async def _come(self, token: str) -> None:
        (agent,) = self._chance.choices([name for name, _ in FLEET], [often for _, often in FLEET])
        browser = self._server.browser(OFFICE, agent, **{"Accept-Language": self._chance.choice(LANGUAGES)})
        visit = await self._server.visit(browser, token=token, url=f"{ORIGIN}/shared")
        if self._chance.random() < READS_ON:
            viewed = await self._server.post(
                "views", browser, session=visit["session"], nonce=secrets.token_hex(8), url=f"{ORIGIN}/more"
            )
            assert viewed.status_code in (200, 204), viewed.text


@pytest.mark.parametrize("people", [150, pytest.param(600, marks=pytest.mark.slow)])
async def test_colleagues_behind_one_address_stay_people(people: int, tmp_path: Path) -> None:
    """Thirty of a hundred in companies of 500 and of 2,000."""
    settings = Settings(database=f"sqlite:///{tmp_path / 'office.sqlite3'}", secret_keys=(b"k" * 32,), rate_limit=0)
    async with serving(settings) as server:
        await server.add_site("site-a", ORIGIN)
        assert await Office(server, people).open_link(people) == {None: people}
        await server.hang_up()
