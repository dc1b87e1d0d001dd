"""A visitor who wants the visits of other recipients refused: what they do is no evidence against anybody else."""

from __future__ import annotations

from pathlib import Path

import pytest

from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.writer.verdict_job import VerdictJob
from tests.support.in_process_server import ORIGIN, serving
from tests.support.user_agents import CHROME

pytestmark = pytest.mark.anyio

OFFICE, CLOUD = "198.51.100.7", "203.0.113.9"
OLD = CHROME.replace("Chrome/141", "Chrome/79")
MINUTE = 60_000


async def test_a_recipient_cannot_have_another_ones_visit_refused(tmp_path: Path) -> None:
    """They open the link with every sign, from the victim's address and from a cloud, and report the share anew to make
    the victim look fast. The victim opens the mail from the same office at once, reads one page and leaves."""
    settings = Settings(
        database=f"sqlite:///{tmp_path / 'attacked.sqlite3'}",
        secret_keys=(b"k" * 32,),
        rate_limit=0,
        scanner_networks=("203.0.113.0/24",),
    )
    async with serving(settings) as server:
        await server.add_site("site-a", ORIGIN)
        judge = VerdictJob(server.store, server.state.writer.recorder)
        sharer = await server.visit(channels=["email"])
        token = sharer["tokens"]["email"]
        server.clock.now += 40 * MINUTE
        for number in range(12):
            for address in (OFFICE, CLOUD):
                signs = {"Accept-Language": ""} if number % 2 else {}
                program = server.browser(address, OLD, **signs)
                await server.visit(program, token=token, url=f"{ORIGIN}/shared")
            server.clock.now += 40_000
        assert (await server.post("shares", server.browser(CLOUD), token=token)).status_code == 200
        server.clock.now += 2_000
        victim = await server.visit(server.browser(OFFICE), token=token, url=f"{ORIGIN}/shared")
        for _ in range(60):
            server.clock.now += MINUTE
            await judge.run(server.clock.now)
        rows = await server.store.look(
            f"SELECT verdict FROM visits WHERE visit_id = {ids.visit_number(victim['visit'])}"
        )
        assert rows == [(None,)]
        await server.hang_up()
