"""Authentication of API calls: the key in ``Authorization: Bearer``, its scope and its sites."""

from __future__ import annotations

from starlette.requests import Request

from grapevine.errors import Forbidden, Invalid, Unauthorized, UnknownSite
from grapevine.sites.api_keys import SCOPES, find_key
from grapevine.sites.cache import Site, SiteCache
from grapevine.store.rows import EVERY_SITE, KeyRow
from grapevine.web.rate_limits import count_wrong_key
from grapevine.web.state import AppState, app_state


async def authorized(request: Request, scope: str = "read") -> Site:
    """Returns the site of a request whose key allows ``scope`` there.

    Raises Unauthorized without a valid key, and Forbidden when the key lacks the scope or does not reach the site.
    For a key of several sites: raises Invalid when ``?site=`` is missing; for one of every site: UnknownSite when there
    is no such site.
    """
    state = app_state(request)
    key = await read_key(request, state)
    check_scope(key, scope)
    return await reached_site(state.sites, key, request.query_params.get("site"))


def check_scope(key: KeyRow, scope: str) -> None:
    """Raises Forbidden when the key's scope is narrower than ``scope``."""
    if SCOPES.index(key.scope) < SCOPES.index(scope):
        raise Forbidden(f"This API key has the scope {key.scope}; {scope} is needed.")


async def read_key(request: Request, state: AppState) -> KeyRow:
    """Returns the API key of a request. Raises Unauthorized when it is missing, unknown or revoked."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Unauthorized("Send an API key as `Authorization: Bearer KEY`.")
    key = await find_key(state.store.api_keys, secret.strip())
    if key is None:
        count_wrong_key(request)
        raise Unauthorized("This API key opens nothing here: it is mistyped, was revoked, or its site was deleted.")
    state.key_usage.note(key.key_id)
    return key


async def reached_site(sites: SiteCache, key: KeyRow, named: str | None) -> Site:
    """Returns the site ``named`` (a public site key), or the API key's own one. Raises as ``authorized``."""
    if key.is_for_one:
        own = await sites.by_id(key.site_id)
        if own is None or named not in (None, own.key):
            raise Forbidden("This API key was made for another site.")
        return own
    if named is None:
        raise Invalid.of("site", "is needed with an API key that reaches several sites")
    site = await sites.by_key(named)
    if key.site_id != EVERY_SITE and (site is None or not key.reaches(site.site_id)):
        raise Forbidden("This API key was made for other sites.")  # whether there is such a site is not its business
    if site is None:
        raise UnknownSite(
            f"No site of this server has the key {named[:40]!r}; `grapevine site list` shows all of them."
        )
    return site


async def reached_sites(sites: SiteCache, key: KeyRow) -> list[Site]:
    """Returns all sites that a key reaches, oldest first."""
    if key.site_id == EVERY_SITE:
        return await sites.all()
    found = [await sites.by_id(site_id) for site_id in key.made_for]
    return [site for site in found if site is not None]
