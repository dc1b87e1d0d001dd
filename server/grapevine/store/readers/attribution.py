"""The conversions that are credited to shares."""

from __future__ import annotations

from grapevine.store.query_runner import Runner
from grapevine.store.readers.scope import Scope


class AttributionReader:
    """Reads conversions and the chains before them (``attribution.sql``)."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def credited(self, scope: Scope, goal: str | None, limit: int) -> list[tuple[int, str | None, int | None]]:
        """At most ``limit`` conversions in the scope as (visit, currency, millionths), in no order."""
        rows = await self._run("credited_by", goal=goal, limit=limit, **scope.params())
        return [(visit, currency, value) for visit, currency, value in rows]
