"""API keys: the hash of a secret, its scope, and whether it was revoked."""

from __future__ import annotations

from typing import Any

import msgspec

from grapevine.store.repositories.repository import Repository
from grapevine.store.rows import KeyRow


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


def _key(row: tuple[Any, ...]) -> KeyRow:
    key_id, site_id, name, scope, created_at, revoked_at = row
    return KeyRow(key_id=key_id, site_id=site_id, name=name, scope=scope, created_at=created_at, revoked_at=revoked_at)


def _first(rows: list[tuple[Any, ...]]) -> KeyRow | None:
    return _key(rows[0]) if rows else None
