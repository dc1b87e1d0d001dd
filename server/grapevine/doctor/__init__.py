"""Checks an installation and says what to fix: settings, files, and whether its counts agree with its rows."""

from __future__ import annotations

from collections.abc import AsyncIterator

from grapevine.config.settings import Settings, database_path
from grapevine.doctor import consistency, environment
from grapevine.doctor.findings import Finding
from grapevine.store.factory import snapshot
from grapevine.store.repositories.consistency import Recount
from grapevine.store.repositories.fingerprints import known_keys

__all__ = ["Finding", "examine"]


async def examine(settings: Settings, site: str | None = None) -> AsyncIterator[Finding]:
    """Runs every check in turn and yields its finding; a check that an earlier finding makes impossible is left out.

    ``site`` is the public key of the only site whose numbers are recounted. Raises UnknownSite when it does not exist.
    Changes and creates nothing; a server may be running.
    """
    for finding in environment.check_settings(settings):
        yield finding
    path = database_path(settings)
    if path is not None:
        yield environment.check_disk(path)
        yield environment.check_permissions(path)
    finding = await environment.check_schema(settings)
    yield finding
    if not finding.ok:
        yield environment.check_keys(settings, [], in_use=False)
        return
    async with snapshot(settings) as moment:
        known, in_use = await known_keys(moment), await Recount(moment).any_visit()
        yield environment.check_keys(settings, known, in_use=in_use)
        async for finding in consistency.examine(moment, site, is_file=path is not None):
            yield finding
