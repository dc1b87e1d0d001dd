"""API keys: the hash of a secret, its scope, and whether it was revoked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from grapevine.store.repositories.repository import Repository
from grapevine.store.rows import KeyRow

_LEAST_APART_MS: Final = 30_000


class ApiKeyRepository(Repository):
    """Finds, adds and revokes API keys; none is ever deleted."""

    async def add_key(self, key: KeyRow, digest: str) -> None:
        """Adds an API key by the SHA-256 (hex) of its secret."""
        async with self._transaction() as change:
            await change.run("insert_key", hash=digest, **msgspec.structs.asdict(key))

    async def key_by_hash(self, digest: str) -> KeyRow | None:
        """The key with this SHA-256 (hex), unless it was revoked."""
        return _first(await self._read("key_by_hash", hash=digest))

    async def key_by_id(self, key_id: str) -> KeyRow | None:
        """The key with this id, unless it was revoked."""
        return _first(await self._read("key_by_id", key_id=key_id))

    async def keys(self, site_id: int) -> list[KeyRow]:
        """The keys made for this site, oldest first, revoked ones too."""
        return [_key(row) for row in await self._read("keys_of_site", site_id=site_id)]

    async def revoke_key(self, key_id: str, at: int) -> bool:
        """Revokes a key; False when there is no such key in force."""
        async with self._transaction() as change:
            return bool(await change.run("revoke_key", key_id=key_id, at=at))

    async def used(self, times: Mapping[str, int]) -> None:
        """Stores when keys were used, by id; at most about once in half a minute for each, whatever process says so."""
        async with self._transaction() as change:
            for key_id, at in sorted(times.items()):  # one order in all processes, so that none waits for another
                await change.run("use_key", key_id=key_id, at=at, every=_LEAST_APART_MS)


def _key(row: tuple[Any, ...]) -> KeyRow:
    key_id, site_id, name, scope, created_at, revoked_at, last_used_at = row
    return KeyRow(
        key_id=key_id,
        site_id=site_id,
        name=name,
        scope=scope,
        created_at=created_at,
        revoked_at=revoked_at,
        last_used_at=last_used_at,
    )


def _first(rows: list[tuple[Any, ...]]) -> KeyRow | None:
    return _key(rows[0]) if rows else None
