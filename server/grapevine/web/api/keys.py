"""``/v1/keys``: the API keys that reach no further than the one that asks. Scope ``admin``."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple

import msgspec
from starlette.responses import Response

from grapevine.api_schemas.keys import (
    KeyChanges,
    KeyList,
    KeyPath,
    KeysQuery,
    KeyView,
    NewKeyRequest,
    NewKeyResponse,
)
from grapevine.domain import cursors
from grapevine.domain.periods import rfc3339
from grapevine.errors import Conflict, Forbidden, Invalid, NotFound, UnknownSite
from grapevine.sites.api_keys import NewKey, add_key, change_key
from grapevine.sites.cache import Site, SiteCache
from grapevine.store.repositories.api_keys import BEFORE_ALL_KEYS, KeyPosition
from grapevine.store.rows import EVERY_SITE, KeptAnswer, KeyRow
from grapevine.web.api.auth import reached_site
from grapevine.web.api.call import KeyCall
from grapevine.web.api.once import HEADER, Keep, answered_once
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec

MAX_BODY: Final = 8_192
_KEY_ID: Final = re.compile(r"^[!-~]{1,100}\Z", re.ASCII)


class _Position(NamedTuple):
    """Behind which key a page of the list begins; a cursor may hold anything, such as a NUL that no database takes."""

    created_at: cursors.Number
    key_id: Annotated[str, msgspec.Meta(pattern=_KEY_ID.pattern)]


async def list_keys(call: KeyCall, query: KeysQuery) -> KeyList:
    """The API keys that reach no further than the one that asks, the oldest first, without their secrets.

    Revoked ones are among them, of each site the last hundred.
    """
    sites = await _current(call)
    asked = cursors.question("keys", query.site)
    position = BEFORE_ALL_KEYS
    if query.cursor is not None:
        position = KeyPosition(*cursors.read(query.cursor, asked, _Position))
    within: Sequence[int] | None = None if call.key.site_id == EVERY_SITE else call.key.made_for
    named = within if query.site is None else [(await reached_site(sites, call.key, query.site)).site_id]
    found = await call.state.store.api_keys.keys_after(position, query.limit, named, within=within)
    behind = KeyPosition(found[-1].created_at, found[-1].key_id) if len(found) == query.limit else None
    return KeyList(
        keys=[_view(sites, key) for key in found],
        next=None if behind is None else cursors.written(asked, behind),
    )


async def create_key(call: KeyCall, body: NewKeyRequest) -> Response:
    """Makes an API key. The answer has its secret, which is shown this once.

    No key reaches further than the one that makes it. Send an `Idempotency-Key` to be able to repeat the call.
    """
    sites = await _current(call)
    wanted = await _wanted_sites(call, body)
    name = body.name if body.name is not None else f"{body.scope} key"

    async def make(keep: Keep) -> NewKeyResponse:
        def answer(added: NewKey) -> KeptAnswer | None:
            return keep(added.row.site_id, _added(sites, added))

        rows = None if wanted is None else [site.row for site in wanted]
        added = await add_key(
            call.state.store.api_keys, rows, body.scope, name, call.now, secrets.token_bytes, answer=answer
        )
        return _added(sites, added)

    return await answered_once(call, body, 201, make)


async def get_key(call: KeyCall, path: KeyPath) -> KeyView:
    """One API key, also a revoked one, without its secret."""
    sites = await _current(call)
    return _view(sites, await _reached_key(call, path))


async def change_key_fields(call: KeyCall, path: KeyPath, body: KeyChanges) -> KeyView:
    """Changes the name or the scope of an API key in force, which holds for the next call with it."""
    sites = await _current(call)
    key = await _reached_key(call, path)
    changed = await change_key(call.state.store.api_keys, key.key_id, name=body.name, scope=body.scope)
    if changed is None:
        raise NotFound(f"The key {key.key_id} is revoked, and cannot be changed any more.")
    return _view(sites, changed)


async def revoke_key(call: KeyCall, path: KeyPath) -> None:
    """Takes an API key out of force, which holds for the next call with it. It cannot be undone.

    Keys that were made with it stay in force. After an `admin` key was stolen, look through `GET /v1/keys` and revoke
    each key that was made since and that you do not know.
    """
    key = await _reached_key(call, path)
    if not await call.state.store.api_keys.revoke_key(key.key_id, call.now):
        raise NotFound(f"The key {key.key_id} is revoked already.")


async def _current(call: KeyCall) -> SiteCache:
    await call.state.sites.reload()
    return call.state.sites


async def _wanted_sites(call: KeyCall, body: NewKeyRequest) -> list[Site] | None:
    """Returns the sites that a new key is for, all of which the key that asks reaches; None for every site.

    Raises Forbidden, UnknownSite, Invalid.
    """
    if body.every_site:
        if body.sites is not None:
            raise Invalid.of("sites", "cannot stand together with `every_site`")
        if call.key.site_id != EVERY_SITE:
            raise Forbidden("This API key was made for certain sites, and can make keys for these alone.")
        return None
    if body.sites is None:
        if not call.key.is_for_one:
            raise Invalid.of("sites", "is needed with an API key that reaches several sites")
        return [await reached_site(call.state.sites, call.key, None)]
    return [await reached_site(call.state.sites, call.key, named) for named in body.sites]


async def _reached_key(call: KeyCall, path: KeyPath) -> KeyRow:
    """Returns a key that reaches no further than the one that asks. Raises NotFound, whether there is another or
    not."""
    key = await call.state.store.api_keys.any_key_by_id(path.id) if _KEY_ID.match(path.id) else None
    if key is None or not call.key.reaches_all_of(key):
        raise NotFound(f"No API key that yours may administer has the id {path.id[:40]!r}.")
    return key


def _added(sites: SiteCache, added: NewKey) -> NewKeyResponse:
    shown = _view(sites, added.row)
    return NewKeyResponse(
        id=shown.id,
        name=shown.name,
        scope=shown.scope,
        sites=shown.sites,
        every_site=shown.every_site,
        created_at=shown.created_at,
        last_used_at=shown.last_used_at,
        revoked_at=shown.revoked_at,
        key=added.secret,
    )


def _view(sites: SiteCache, key: KeyRow) -> KeyView:
    reached = [sites.numbered(site_id) for site_id in key.made_for]
    return KeyView(
        id=key.key_id,
        name=key.name,
        scope=key.scope,
        sites=[site.key for site in reached if site is not None],
        every_site=key.site_id == EVERY_SITE,
        created_at=rfc3339(key.created_at),
        last_used_at=None if key.last_used_at is None else rfc3339(key.last_used_at),
        revoked_at=None if key.revoked_at is None else rfc3339(key.revoked_at),
    )


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/keys",
        handler=list_keys,
        tag="keys",
        scope="admin",
        of_site=False,
        query=KeysQuery,
        responses={200: ResponseSpec(KeyList, "A page of API keys.")},
        problems=(UnknownSite,),
    ),
    Operation(
        method="POST",
        path="/v1/keys",
        handler=create_key,
        tag="keys",
        scope="admin",
        of_site=False,
        body=RequestBody(NewKeyRequest, MAX_BODY),
        responses={201: ResponseSpec(NewKeyResponse, "The key with its secret.")},
        problems=(UnknownSite, Conflict),
        request_headers=(HEADER,),
    ),
    Operation(
        method="GET",
        path="/v1/keys/{id}",
        handler=get_key,
        tag="keys",
        scope="admin",
        of_site=False,
        path_params=KeyPath,
        responses={200: ResponseSpec(KeyView, "The key.")},
        problems=(NotFound,),
    ),
    Operation(
        method="PATCH",
        path="/v1/keys/{id}",
        handler=change_key_fields,
        tag="keys",
        scope="admin",
        of_site=False,
        path_params=KeyPath,
        body=RequestBody(KeyChanges, MAX_BODY),
        responses={200: ResponseSpec(KeyView, "The key as it is now.")},
        problems=(NotFound,),
    ),
    Operation(
        method="DELETE",
        path="/v1/keys/{id}",
        handler=revoke_key,
        tag="keys",
        scope="admin",
        of_site=False,
        path_params=KeyPath,
        responses={204: ResponseSpec(text="The key is revoked.")},
        problems=(NotFound,),
    ),
]
