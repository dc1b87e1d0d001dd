"""Reads pages by their ids: signed 48-bit hashes."""

from __future__ import annotations

from collections.abc import Iterable

from grapevine.domain import ids
from grapevine.store.query_runner import Runner


class PageReader:
    """Reads the URLs and titles of pages (``pages.sql``)."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def urls(self, site_id: int, pages: Iterable[int]) -> dict[int, str]:
        """The URLs of those of ``pages`` that are stored."""
        return dict(
            await self._run(
                "page_urls", [(page, ids.hashed_cell(page)) for page in dict.fromkeys(pages)], site_id=site_id
            )
        )

    async def shares_by_day(self, site_id: int, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], int]:
        """How often pages were shared on days (numbers), of ``wanted`` (page, day); those without counts are left
        out."""
        rows = await self._run("shares_of_pages_by_day", [*wanted], site_id=site_id)
        return {(page, day): shares for page, day, shares in rows}
