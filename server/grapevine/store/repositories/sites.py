"""Sites and their origins: few rows, changed by people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from grapevine.errors import GrapevineError
from grapevine.store.query_runner import Runner
from grapevine.store.repositories.api_keys import StoredKey, insert_key
from grapevine.store.repositories.kept_answers import keep_answer
from grapevine.store.repositories.repository import Repository
from grapevine.store.rows import KeptAnswer, SiteRow

AT_ONCE: Final = 200
"""How many sites are read at once: a few milliseconds, in which a process does nothing else."""


class TooManySites(GrapevineError):
    """There are as many sites as there may be."""


class SiteReader:
    """Reads sites, of a snapshot as well."""

    def __init__(self, reader: Runner) -> None:
        self._read = reader.run

    async def version(self) -> int:
        """A number that rises with every change of sites or their origins."""
        ((version,),) = await self._read("sites_version")
        return int(version)

    async def sites(self) -> list[SiteRow]:
        """All sites but those that are being deleted, oldest first, each with its origins in the order they were named
        in."""
        found: list[SiteRow] = []
        while more := await self.sites_after(found[-1].site_id if found else 0):
            found += more
        return found

    async def sites_after(self, site_id: int, most: int = AT_ONCE) -> list[SiteRow]:
        """The next sites behind one, at most ``most``; as ``sites``."""
        rows = await self._read("sites_after", site_id=site_id, most=most)
        if not rows:
            return []
        origins: dict[int, list[str]] = {}
        for owner, origin in await self._read("origins_of", after=site_id, last=rows[-1][0]):
            origins.setdefault(owner, []).append(origin)
        return [
            SiteRow(
                site_id=number,
                key=key,
                name=name,
                salt=salt,
                param=param,
                place=place,
                query=query,
                created_at=created_at,
                origins=tuple(origins.get(number, ())),
                element=element,
                cells=cells,
                counted_values=counted_values,
                contact=contact,
                keep=keep,
                fragment=fragment,
                old_build_day=old_build_day,
                webmention=webmention,
            )
            for (
                number,
                key,
                name,
                salt,
                param,
                place,
                query,
                created_at,
                element,
                cells,
                counted_values,
                contact,
                keep,
                fragment,
                old_build_day,
                webmention,
            ) in rows
        ]


class SiteRepository(Repository, SiteReader):
    """Every change of a site raises ``version``, which makes all processes read the sites anew."""

    async def highest_number(self) -> int:
        """Returns the highest number that a site has or had; 0 where there was never any."""
        ((number,),) = await self._read("highest_site_number")
        return int(number or 0)

    async def add_site(
        self, site: SiteRow, first: StoredKey | None = None, answer: KeptAnswer | None = None, most: int | None = None
    ) -> None:
        """Adds a site with its ``first`` API key, and keeps the ``answer``, if any: all of it or nothing.

        The site's number and key must be new. Raises TooManySites where there are ``most``; AlreadyAnswered.
        """
        async with self._transaction() as change:
            await keep_answer(change, answer)
            if most is not None:
                await change.run("lock_additions")
                ((number,),) = await change.run("number_of_sites")
                if number >= most:
                    raise TooManySites(f"there are {number} sites")
            await change.run("insert_site", **msgspec.structs.asdict(site))
            await _set_origins(change, site)
            if first is not None:
                await insert_key(change, first)

    async def change_site(self, site_id: int, changes: Mapping[str, object]) -> SiteRow | None:
        """Changes fields of a site's row and returns it as it is then; None for a site that is not there any more.

        Concurrent changes follow one another, and each keeps what the others changed. Where nothing changes, nothing is
        stored, and no process reads the sites again.
        """
        async with self._transaction() as change:
            await change.run("lock_site", site_id=site_id)
            found = await SiteReader(change).sites_after(site_id - 1, 1)
            if not found or found[0].site_id != site_id:
                return None
            before, changed = found[0], msgspec.structs.replace(found[0], **changes)
            if changed != before:
                await change.run("update_site", **msgspec.structs.asdict(changed))
                await _set_origins(change, changed)
        return changed

    async def saw_old_builds(self, sites: Sequence[int], day: int) -> None:
        """Stores that a build of the widget from before ``build`` was a field of visits was seen on these sites."""
        async with self._transaction() as change:
            if await change.run("saw_old_builds", [(site,) for site in sites], day=day):
                await change.run("touch_versions")


async def _set_origins(change: Runner, site: SiteRow) -> None:
    await change.run("delete_origins", site_id=site.site_id)
    rows = [(site.site_id, origin, position) for position, origin in enumerate(site.origins)]
    await change.run("insert_origins", rows)
    await change.run("touch_versions")
