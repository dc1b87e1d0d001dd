"""API keys: the hash of a secret, its scope, the sites that it reaches, and whether it was revoked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from grapevine.domain.redaction import redacted_repr
from grapevine.errors import GrapevineError
from grapevine.store.query_runner import Runner
from grapevine.store.repositories.kept_answers import keep_answer
from grapevine.store.repositories.repository import Repository
from grapevine.store.rows import SEVERAL_SITES, KeptAnswer, KeyRow

_LEAST_APART_MS: Final = 30_000
_KEPT_REVOKED: Final = 100
"""Revoked keys of a site that are kept, the last ones: else making and revoking keys would fill the disk."""
_DELETED_AT_ONCE: Final = 100


class TooManyKeys(GrapevineError):
    """A site has as many keys in force as it may have; ``site_id`` is its number, EVERY_SITE that of every site."""

    def __init__(self, site_id: int) -> None:
        super().__init__(f"site {site_id} has as many keys as it may have")
        self.site_id = site_id


class StoredKey(NamedTuple):
    """A key that is to be stored, with the SHA-256 (hex) of its secret."""

    row: KeyRow
    digest: str

    def __repr__(self) -> str:
        return redacted_repr(self)


class KeyPosition(NamedTuple):
    """A position in the list of all keys: behind the key with this id, made at this time (UTC milliseconds)."""

    created_at: int
    key_id: str


BEFORE_ALL_KEYS: Final = KeyPosition(-1, "")


async def insert_key(change: Runner, key: StoredKey) -> None:
    """Adds an API key in the transaction ``change``, and deletes revoked keys of its sites beyond the last ones."""
    await change.run("insert_key", hash=key.digest, **msgspec.structs.asdict(key.row))
    if key.row.site_id == SEVERAL_SITES:
        await change.run("insert_key_sites", [(key.row.key_id, site_id) for site_id in key.row.sites])
    for site_id in key.row.sites or (key.row.site_id,):
        surplus = await change.run("surplus_revoked_keys", site_id=site_id, kept=_KEPT_REVOKED, limit=_DELETED_AT_ONCE)
        if surplus:
            await change.run("delete_sites_of_keys", surplus)
            await change.run("delete_keys", surplus)


class ApiKeyRepository(Repository):
    """Finds, adds, changes and revokes API keys."""

    async def add_key(
        self, key: KeyRow, digest: str, answer: KeptAnswer | None = None, most: int | None = None
    ) -> None:
        """Adds an API key by the SHA-256 (hex) of its secret, and keeps the ``answer``, if any.

        Raises TooManyKeys where a site of it has ``most`` keys in force; AlreadyAnswered.
        """
        async with self._transaction() as change:
            await keep_answer(change, answer)
            if most is not None:
                await change.run("lock_additions")
                for site_id in key.sites or (key.site_id,):
                    ((number,),) = await change.run("number_of_keys", site_id=site_id)
                    if number >= most:
                        raise TooManyKeys(site_id)
            await insert_key(change, StoredKey(key, digest))

    async def key_by_hash(self, digest: str) -> KeyRow | None:
        """The key with this SHA-256 (hex), unless it was revoked."""
        return _first(await self._read("key_by_hash", hash=digest))

    async def key_by_id(self, key_id: str) -> KeyRow | None:
        """The key with this id, unless it was revoked."""
        return _first(await self._read("key_by_id", key_id=key_id))

    async def any_key_by_id(self, key_id: str) -> KeyRow | None:
        """The key with this id, also a revoked one."""
        return _first(await self._read("any_key_by_id", key_id=key_id))

    async def keys(self, site_id: int) -> list[KeyRow]:
        """The keys made for this site, alone or with others, oldest first, revoked ones too; 0: those of every site."""
        return _keys(await self._read("keys_of_site", site_id=site_id))

    async def keys_after(
        self,
        position: KeyPosition,
        most: int,
        sites: Sequence[int] | None = None,
        *,
        within: Sequence[int] | None = None,
    ) -> list[KeyRow]:
        """The next keys behind a position, oldest first, revoked ones too; of ``sites`` those made for any of them.

        With ``within``, ``sites`` among it, no key that was made for another site as well.
        """
        asked: dict[str, Any] = {"created_at": position.created_at, "key_id": position.key_id, "most": most}
        if sites is None:
            return _keys(await self._read("keys_after", **asked))
        rows = [(site_id, int(site_id in sites)) for site_id in (sites if within is None else within)]
        return _keys(await self._read("keys_of_sites_after", rows, bounded=int(within is not None), **asked))

    async def change_key(self, key_id: str, name: str | None, scope: str | None) -> bool:
        """Changes a key's name or scope, each of which None leaves as it is; False when no such key is in force."""
        async with self._transaction() as change:
            return bool(await change.run("change_key", key_id=key_id, name=name, scope=scope))

    async def revoke_key(self, key_id: str, at: int) -> bool:
        """Revokes a key; False when there is no such key in force."""
        async with self._transaction() as change:
            return bool(await change.run("revoke_key", key_id=key_id, at=at))

    async def used(self, times: Mapping[str, int]) -> None:
        """Stores when keys were used, by id; at most about once in half a minute for each, whatever process says so."""
        async with self._transaction() as change:
            for key_id, at in sorted(times.items()):  # one order in all processes, so that none waits for another
                await change.run("use_key", key_id=key_id, at=at, every=_LEAST_APART_MS)


def _keys(rows: Iterable[tuple[Any, ...]]) -> list[KeyRow]:
    """Returns the keys of rows that stand together for each key, one row a site of a key made for several."""
    return [_key(list(group)) for _, group in groupby(rows, itemgetter(0))]


def _key(rows: Sequence[tuple[Any, ...]]) -> KeyRow:
    key_id, site_id, name, scope, created_at, revoked_at, last_used_at, _ = rows[0]
    return KeyRow(
        key_id=key_id,
        site_id=site_id,
        name=name,
        scope=scope,
        created_at=created_at,
        revoked_at=revoked_at,
        last_used_at=last_used_at,
        sites=tuple(reached for *_, reached in rows if reached is not None),
    )


def _first(rows: Sequence[tuple[Any, ...]]) -> KeyRow | None:
    return _key(rows) if rows else None
