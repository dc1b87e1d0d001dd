"""API keys: a key's secret is handed out once and stored as its SHA-256 alone."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from grapevine.domain.did_you_mean import did_you_mean
from grapevine.domain.redaction import redacted_repr
from grapevine.errors import Invalid
from grapevine.sites.random_letters import Random, random_letters
from grapevine.sites.validation import checked_name
from grapevine.store.repositories.api_keys import ApiKeyRepository, StoredKey, TooManyKeys
from grapevine.store.rows import EVERY_SITE, SEVERAL_SITES, KeptAnswer, KeyRow, SiteRow

SCOPES: Final = ("read", "write", "admin")
"""From the narrowest to the widest; each allows what those before it allow."""

KEY_PREFIX: Final = "gv_"

MOST_KEYS: Final = 100
"""Keys in force of one site, those made for it together with others among them; and keys for every site."""
MOST_SITES_OF_KEY: Final = 100
"""Sites of one key. Each call with it reads all of them."""

_KEY_ID_LENGTH: Final = 10
_SECRET_LENGTH: Final = 40


class NewKey(NamedTuple):
    """An API key as it is handed out, once: ``secret`` is stored nowhere."""

    row: KeyRow
    secret: str

    def stored(self) -> StoredKey:
        """Returns what is stored of it."""
        return StoredKey(self.row, hash_secret(self.secret))

    def __repr__(self) -> str:
        return redacted_repr(self)


Answer = Callable[[NewKey], KeptAnswer | None]
"""Makes the answer that is kept for a repeat of the request for a new key."""


def make_key(
    site_ids: Sequence[int] | None, scope: str, name: str, now: int, random: Random = secrets.token_bytes
) -> NewKey:
    """Makes an API key for some sites; None stands for every site, those to come too.

    Raises Invalid for a number of sites, a scope or a name that cannot be.
    """
    named = () if site_ids is None else tuple(sorted(set(site_ids)))
    if site_ids is not None and not 1 <= len(named) <= MOST_SITES_OF_KEY:
        raise Invalid.of("sites", f"must name 1 to {MOST_SITES_OF_KEY} sites")
    secret = KEY_PREFIX + random_letters(random, _SECRET_LENGTH)
    row = KeyRow(
        key_id=random_letters(random, _KEY_ID_LENGTH),
        site_id=EVERY_SITE if site_ids is None else named[0] if len(named) == 1 else SEVERAL_SITES,
        name=checked_name(name),
        scope=_checked_scope(scope),
        created_at=now,
        sites=named if len(named) > 1 else (),
    )
    return NewKey(row, secret)


async def add_key(
    api_keys: ApiKeyRepository,
    sites: Sequence[SiteRow] | None,
    scope: str,
    name: str,
    now: int,
    random: Random = secrets.token_bytes,
    *,
    answer: Answer = lambda _: None,
) -> NewKey:
    """Adds an API key as ``make_key`` makes it. ``answer`` makes what is kept for a repeat of the request.

    Raises Invalid as ``make_key``, or where a site has MOST_KEYS keys in force; AlreadyAnswered.
    """
    added = make_key(None if sites is None else [site.site_id for site in sites], scope, name, now, random)
    try:
        await api_keys.add_key(*added.stored(), answer(added), MOST_KEYS)
    except TooManyKeys as error:
        names = [site.name for site in sites or () if site.site_id == error.site_id]
        whose = f" of {names[0]}" if names else ""
        detail = f"cannot get a further key: {MOST_KEYS} keys{whose} are in force; revoke one first"
        raise Invalid.of("sites", detail) from None
    return added


async def change_key(api_keys: ApiKeyRepository, key_id: str, *, name: str | None, scope: str | None) -> KeyRow | None:
    """Changes a key's name or scope, each of which None leaves as it is. Returns None for a key that is not in force.

    Raises Invalid.
    """
    name = None if name is None else checked_name(name)
    scope = None if scope is None else _checked_scope(scope)
    return await api_keys.key_by_id(key_id) if await api_keys.change_key(key_id, name, scope) else None


async def find_key(api_keys: ApiKeyRepository, secret: str) -> KeyRow | None:
    """The key with this secret, unless it is revoked."""
    return await api_keys.key_by_hash(hash_secret(secret))


def hash_secret(secret: str) -> str:
    """Returns the SHA-256 of an API key's secret as hex, the form in which it is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checked_scope(scope: str) -> str:
    if scope not in SCOPES:
        raise Invalid.of("scope", f"must be one of {', '.join(SCOPES)}{did_you_mean(scope, SCOPES)}")
    return scope
