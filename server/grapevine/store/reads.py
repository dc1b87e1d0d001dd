"""What chains and statistics read: one typed method per named query."""

from __future__ import annotations

from grapevine.store.base import Runner


class Reads:
    """The queries of ``chains.sql``, ``stats.sql`` and ``cascades.sql``. Changes nothing."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run
