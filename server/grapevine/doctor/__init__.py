"""Checks an installation and says what to fix: settings, files, and whether its numbers are what its rows say."""

from __future__ import annotations

from collections.abc import AsyncIterator

from grapevine.config.settings import Settings, database_path
from grapevine.doctor import consistency, environment
from grapevine.doctor.findings import Finding
from grapevine.store.factory import snapshot
from grapevine.store.repositories.consistency import Recount

__all__ = ["Finding", "examine"]


async def examine(settings: Settings, site: str | None = None) -> AsyncIterator[Finding]:
    """Every check in its turn; what cannot be checked because of an earlier finding is left out.

    ``site`` is the public key of the only site whose numbers are recounted. Raises UnknownSite when there is none such.
    Nothing is changed, nothing made, and a server may be running.
    """
    for finding in environment.settings(settings):
        yield finding
    path = database_path(settings)
    if path is not None:
        yield environment.space(path)
    finding = await environment.schema(settings)
    yield finding
    if not finding.ok:
        yield environment.keys(settings, in_use=False)
        return
    async with snapshot(settings) as moment:
        yield environment.keys(settings, in_use=await Recount(moment).any_visit())
        async for finding in consistency.examine(moment, site, is_file=path is not None):
            yield finding
