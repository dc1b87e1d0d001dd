"""Sites, API keys and the server's own salts: few rows, changed by people and housekeeping."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from grapevine.store.query_runner import Runner
from grapevine.store.rows import KeyRow, SiteRow

_GUARDS_AT_ONCE: Final = 2_000
_BEFORE_ALL: Final = (-1, -1, -(1 << 63))
_BEHIND_ALL: Final = ((1 << 63) - 1, (1 << 15) - 1, (1 << 63) - 1)


class Registry:
    """What the registry tables hold. Every change of a site raises ``version``.

    ``reader`` answers questions; ``transaction`` opens one in which a change happens whole or not at all.
    """

    def __init__(self, reader: Runner, transaction: Callable[[], AbstractAsyncContextManager[Runner]]) -> None:
        self._read = reader.run
        self._transaction = transaction

    async def version(self) -> int:
        """A number that rises with every change of sites or their origins."""
        ((version,),) = await self._read("sites_version")
        return int(version)

    async def sites(self) -> list[SiteRow]:
        """All sites, oldest first, each with its origins in the order they were named in."""
        origins: dict[int, list[str]] = {}
        for site_id, origin in await self._read("all_origins"):
            origins.setdefault(site_id, []).append(origin)
        rows = await self._read("all_sites")
        return [SiteRow(*(*row, tuple(origins.get(row[0], ())), element)) for *row, element in rows]

    async def add_site(self, site: SiteRow) -> None:
        """Adds a site; its number and key must be new."""
        async with self._transaction() as change:
            await change.run(
                "insert_site", site_id=site.site_id, key=site.key, name=site.name, salt=site.salt, param=site.param,
                place=site.place, query=site.query, created_at=site.created_at, element=site.element,
            )  # fmt: skip
            await _set_origins(change, site)

    async def set_site(self, site: SiteRow) -> None:
        """Stores the site's name, origins, parameter, place, kept query and element as they are in ``site``."""
        async with self._transaction() as change:
            await change.run(
                "update_site", site_id=site.site_id, name=site.name, param=site.param, place=site.place,
                query=site.query, element=site.element,
            )  # fmt: skip
            await _set_origins(change, site)

    async def add_key(self, key: KeyRow, digest: str) -> None:
        """Adds an API key by the SHA-256 (hex) of its secret."""
        async with self._transaction() as change:
            await change.run(
                "insert_key", key_id=key.key_id, site_id=key.site_id, name=key.name, scope=key.scope, hash=digest,
                created_at=key.created_at,
            )  # fmt: skip

    async def key_by_hash(self, digest: str) -> KeyRow | None:
        """The key with this SHA-256 (hex), unless it was revoked."""
        return _first(await self._read("key_by_hash", hash=digest))

    async def key_by_id(self, key_id: str) -> KeyRow | None:
        """The key with this id, unless it was revoked."""
        return _first(await self._read("key_by_id", key_id=key_id))

    async def keys(self, site_id: int) -> list[KeyRow]:
        """The keys made for this site, oldest first, revoked ones too."""
        return [KeyRow(*row) for row in await self._read("keys_of_site", site_id=site_id)]

    async def revoke_key(self, key_id: str, at: int) -> bool:
        """Revokes a key; False when there is no such key in force."""
        async with self._transaction() as change:
            return bool(await change.run("revoke_key", key_id=key_id, at=at))

    async def salt(self, kind: str, day: int, fresh: str) -> str:
        """The salt of that kind and day; ``fresh`` becomes it when there is none yet, whoever comes first."""
        async with self._transaction() as change:
            await change.run("insert_salt", kind=kind, day=day, value=fresh)
            ((value,),) = await change.run("salt", kind=kind, day=day)
            return str(value)

    async def take_lease(self, name: str, holder: str, now: int, expires_at: int) -> bool:
        """Takes or prolongs what one holder at a time may have; False while somebody else's time is not over."""
        async with self._transaction() as change:
            return bool(await change.run("take_lease", name=name, holder=holder, now=now, expires_at=expires_at))

    async def give_lease(self, name: str, holder: str) -> None:
        """Gives back what ``holder`` had."""
        async with self._transaction() as change:
            await change.run("give_lease", name=name, holder=holder)

    async def forget_salts(self, kind: str, before_day: int) -> None:
        """Destroys the salts of that kind of days before ``before_day``."""
        async with self._transaction() as change:
            await change.run("delete_salts", kind=kind, before_day=before_day)

    async def forget_guards(self, now: int) -> None:
        """Deletes the guards that have expired, so few in a transaction that nobody waits for it."""
        last: tuple[int, int, int] | None = _BEFORE_ALL
        while last is not None:
            site_id, kind, key = last
            ends = await self._read("guards_after", site_id=site_id, kind=kind, guard_key=key, window=_GUARDS_AT_ONCE)
            last = (ends[0][0], ends[0][1], ends[0][2]) if ends else None
            to_site, to_kind, to_key = last or _BEHIND_ALL
            async with self._transaction() as change:
                await change.run(
                    "delete_guards", now=now, site_id=site_id, kind=kind, guard_key=key, end_site=to_site,
                    end_kind=to_kind, end_key=to_key,
                )  # fmt: skip


async def _set_origins(change: Runner, site: SiteRow) -> None:
    await change.run("delete_origins", site_id=site.site_id)
    rows = [(site.site_id, origin, position) for position, origin in enumerate(site.origins)]
    await change.run("insert_origins", rows)
    await change.run("touch_versions")


def _first(rows: list[tuple[Any, ...]]) -> KeyRow | None:
    return KeyRow(*rows[0]) if rows else None
