"""Direct visits, and the private shares they may stem from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from grapevine.store.query_runner import Runner
from grapevine.store.readers.scope import Scope


class DirectApps(NamedTuple):
    """Visits by app, of the most frequent ones; of all apps; and of those of which there is only a package."""

    apps: dict[str, int]
    total: int
    packages: int


class DirectEvidence(NamedTuple):
    """Visits by evidence of their arrival: with a click id, and those whose source it decided; with the click id of an
    earlier visitor, and those of them that are direct visits; through a link to a passage."""

    click_ids: int
    decided: int
    copied: int
    copied_direct: int
    highlights: int


class DirectReader:
    """Reads direct visits and private returns by page and day (``direct.sql``)."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def direct_days(self, scope: Scope, pages: Iterable[int]) -> list[tuple[int, int, list[int]]]:
        """Visits of ``pages`` as (page, day, [deep direct, general, private returns in four groups])."""
        rows = await self._run("direct_days", [(page,) for page in pages], **scope.params())
        return [(page, day, [int(number) for number in numbers]) for page, day, *numbers in rows]

    async def unfurled_shares(self, scope: Scope, pages: Iterable[int]) -> dict[int, int]:
        """Private shares of the period's visits of which an app fetched a preview, by page."""
        rows = await self._run("direct_unfurled", [(page,) for page in pages], **scope.params())
        return {page: int(shares) for page, shares in rows}

    async def direct_apps(self, scope: Scope, limit: int) -> DirectApps:
        """Untagged visits that an app brought; filters of the scope have no part in it."""
        rows = await self._run("direct_apps", limit=limit, **scope.params())
        total, packages = rows[0][2:] if rows else (0, 0)
        return DirectApps(apps={app: visits for app, visits, *_ in rows}, total=int(total), packages=int(packages))

    async def direct_evidence(self, scope: Scope) -> DirectEvidence:
        """Visits by what their arrival gave away; filters of the scope have no part in it."""
        params = scope.params()
        (found,) = await self._run(
            "direct_evidence", site_id=params["site_id"], start=params["start"], end=params["end"]
        )
        return DirectEvidence(*(int(number or 0) for number in found))

    async def direct_shares(self, scope: Scope) -> tuple[int, int, int]:
        """Private shares first seen in the period: (reported, proven, both)."""
        reported, proven, both = (await self._run("direct_shares", **scope.params()))[0]
        return int(reported or 0), int(proven or 0), int(both or 0)
