"""Requests and responses of ``/v1/keys``."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from grapevine.api_schemas.sites import Name, SiteKey
from grapevine.sites.api_keys import SCOPES

MOST_LISTED: Final = 500

KeyScope = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*SCOPES]})]
KeyId = Annotated[str, msgspec.Meta(examples=["Zk3vT9wLxN"])]


class KeyPath(msgspec.Struct, frozen=True):
    """The path of a call about one API key."""

    id: KeyId
    """The key's id."""


class KeysQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/keys``."""

    site: SiteKey | None = None
    """Only keys that were made for this site, alone or with others."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_LISTED)] = 100
    """How many keys are looked at; a page may have fewer."""
    cursor: str | None = None
    """The `next` of the page before."""


class NewKeyRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/keys``."""

    scope: KeyScope
    """What the key allows: to read numbers; also to write events; also to administer."""
    name: Name | None = None
    """What it is for; without it, its scope is its name."""
    sites: Annotated[list[SiteKey], msgspec.Meta(min_length=1, max_length=100)] | None = None
    """The public keys of the sites that it is for. A key for one site may leave it out, and means that site."""
    every_site: bool = False
    """Whether it reaches every site of the server, those to come too. Only a key that does so itself can make one."""


class KeyChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of ``PATCH /v1/keys/{id}``: what is left out, or null, stays as it is."""

    name: Name | None = None
    """What it is for."""
    scope: KeyScope | None = None
    """What it allows from now on."""


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without its secret."""

    id: KeyId
    """Its id, which is no secret."""
    name: str
    """What it is for."""
    scope: KeyScope
    """What it allows."""
    sites: list[SiteKey]
    """The public keys of the sites that it was made for; none where it reaches every site."""
    every_site: bool
    """Whether it reaches every site of the server."""
    created_at: str
    """When it was made."""
    last_used_at: str | None
    """When it was last used, to within a minute or so."""
    revoked_at: str | None
    """When it was revoked; null for a key in force."""


class NewKeyResponse(KeyView, frozen=True, kw_only=True):
    """An API key that was made."""

    key: Annotated[str, msgspec.Meta(examples=["gv_…"])]
    """The secret to send as `Authorization: Bearer KEY`. It is shown this once: only its hash is stored."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id!r}, key=<hidden>)"


class KeyList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of API keys, the oldest first."""

    keys: list[KeyView]
    """The keys."""
    next: str | None
    """The `cursor` of the next page; null on the last one."""
