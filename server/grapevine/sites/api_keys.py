"""API keys: a key's secret is handed out once and stored as its SHA-256 alone."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final, NamedTuple

from grapevine.domain.redaction import redacted_repr
from grapevine.errors import Invalid
from grapevine.sites.random_letters import Random, random_letters
from grapevine.sites.validation import checked_name
from grapevine.store.repositories.api_keys import ApiKeyRepository
from grapevine.store.rows import KeyRow, SiteRow

SCOPES: Final = ("read", "write", "admin")
"""From the narrowest to the widest; each allows what those before it allow."""

KEY_PREFIX: Final = "gv_"

_KEY_ID_LENGTH: Final = 10
_SECRET_LENGTH: Final = 40


class NewKey(NamedTuple):
    """An API key as it is handed out, once: ``secret`` is stored nowhere."""

    row: KeyRow
    secret: str

    def __repr__(self) -> str:
        return redacted_repr(self)


async def add_key(
    api_keys: ApiKeyRepository, site: SiteRow, scope: str, name: str, now: int, random: Random = secrets.token_bytes
) -> NewKey:
    """Adds an API key for one site. Raises Invalid for a scope or a name that cannot be."""
    if scope not in SCOPES:
        raise Invalid.of("scope", f"must be one of {', '.join(SCOPES)}")
    secret = KEY_PREFIX + random_letters(random, _SECRET_LENGTH)
    row = KeyRow(
        key_id=random_letters(random, _KEY_ID_LENGTH),
        site_id=site.site_id,
        name=checked_name(name),
        scope=scope,
        created_at=now,
        revoked_at=None,
    )
    await api_keys.add_key(row, hash_secret(secret))
    return NewKey(row, secret)


async def find_key(api_keys: ApiKeyRepository, secret: str) -> KeyRow | None:
    """The key with this secret, unless it is revoked."""
    return await api_keys.key_by_hash(hash_secret(secret))


def hash_secret(secret: str) -> str:
    """Returns the SHA-256 of an API key's secret as hex, the form in which it is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()
