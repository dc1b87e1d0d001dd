"""The files of the widget that servers of this database have served, kept for pages with an earlier script."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final, NamedTuple

from grapevine.domain import ids
from grapevine.store.query_runner import Runner
from grapevine.store.repositories.repository import Repository

KEPT_MS: Final = 400 * ids.DAY_MS
"""How long a file is kept after the last server that has it has stopped: the last year's, and a month."""

MOST_FILES: Final = 10_000
"""Beyond it, the files that were served the longest time ago are deleted. A build has about 70 files and 110 KB, so
these are 140 builds and 16 MB: somebody who tries a hundred builds a day keeps that day's."""

_REFRESHED_MS: Final = ids.DAY_MS


class KeptFile(NamedTuple):
    """A file of the widget: its name, its text, and the same compressed with brotli."""

    name: str
    body: str
    brotli: bytes


class WidgetFileRepository(Repository):
    """The queries of ``widget_files.sql``."""

    async def names(self) -> frozenset[str]:
        """Returns the names of all files that are kept."""
        return frozenset(name for (name,) in await self._read("widget_file_names"))

    async def file(self, name: str) -> KeptFile | None:
        """Returns a file, or None when no file of that name is kept."""
        for body, brotli in await self._read("widget_file", name=name):
            return KeptFile(name, body, b64decode(brotli))
        return None

    async def keep(self, files: Sequence[KeptFile], at: int) -> None:
        """Keeps the files that a server has; deletes those that none has had for ``KEPT_MS``, or that are too many."""
        known = await self.names()
        # In one order everywhere: processes that start at once would wait for each other's rows otherwise.
        missing = [
            (file.name, file.body, b64encode(file.brotli).decode(), at)
            for file in sorted(files)
            if file.name not in known
        ]
        async with self._transaction() as change:
            await change.run("insert_widget_files", missing)
            await change.run("refresh_widget_files", [(file.name,) for file in files], at=at, before=at - _REFRESHED_MS)
            await change.run("delete_widget_files", before=await _oldest_kept(change, at))


async def _oldest_kept(change: Runner, at: int) -> int:
    count = 0
    for served_at, files in await change.run("widget_files_by_time"):
        count += files
        if count > MOST_FILES:
            return max(int(served_at) + 1, at - KEPT_MS)
    return at - KEPT_MS
