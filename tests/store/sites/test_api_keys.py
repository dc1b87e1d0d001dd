"""API keys: only their hash is stored, every letter is equally likely, and the scope is one of three."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from grapevine.errors import Invalid
from grapevine.sites.api_keys import add_key, find_key
from grapevine.sites.management import add_site
from grapevine.store.sqlite.store import SQLiteStore

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000
ORIGINS = ["https://a.example"]


async def test_only_the_hash_of_a_secret_is_stored(store: SQLiteStore, tmp_path: Path) -> None:
    added = (await add_site(store, "Lees", ORIGINS, NOW)).key
    assert len(added.secret) == 43
    assert added.secret.startswith("gv_")
    assert await find_key(store.api_keys, added.secret) == added.row
    assert await find_key(store.api_keys, f"{added.secret}x") is None
    stored = b"".join(file.read_bytes() for file in sorted(tmp_path.iterdir()))  # noqa: ASYNC240
    assert added.secret.encode() not in stored
    assert hashlib.sha256(added.secret.encode()).hexdigest().encode() in stored


async def test_a_revoked_key(store: SQLiteStore) -> None:
    added = (await add_site(store, "Lees", ORIGINS, NOW)).key
    assert await store.api_keys.revoke_key(added.row.key_id, NOW + 1)
    assert await find_key(store.api_keys, added.secret) is None


async def test_every_letter_is_as_likely_as_any_other(store: SQLiteStore) -> None:
    site = (await add_site(store, "Lees", ORIGINS, NOW)).row
    bytes_once = iter(range(256))

    def each_byte_once(length: int) -> bytes:
        return bytes(next(bytes_once, 255) for _ in range(length))

    drawn = Counter[str]()
    for _ in range(4):
        added = await add_key(store.api_keys, [site], "read", "key", NOW, each_byte_once)
        drawn.update(added.secret.removeprefix("gv_") + added.row.key_id)
    assert len(drawn) == 62
    assert set(drawn.values()) == {3, 4}


async def test_a_scope_that_does_not_exist(store: SQLiteStore) -> None:
    site = (await add_site(store, "Lees", ORIGINS, NOW)).row
    with pytest.raises(Invalid, match="read, write, admin"):
        await add_key(store.api_keys, [site], "root", "key", NOW)
