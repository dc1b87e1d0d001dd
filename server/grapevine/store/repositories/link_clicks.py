"""How often minted links were followed (``link_clicks.sql``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grapevine.store.query_runner import Runner


class ClickChanges:
    """The changes of clicks in one transaction."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def add(self, rows: Sequence[Sequence[Any]]) -> None:
        """Adds clicks: (site, visit, cell, channel, n, so many, time of the last one)."""
        await self._run("add_clicks", rows)
