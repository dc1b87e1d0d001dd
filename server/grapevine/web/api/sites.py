"""``/v1/sites``: the sites that an API key reaches. Scope ``admin``; only a key for every site adds one."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from starlette.responses import Response

from grapevine.api_schemas.sites import (
    DeleteSiteQuery,
    DeletionStarted,
    NewSiteRequest,
    NewSiteResponse,
    SiteChanges,
    SiteList,
    SitePath,
    SitesQuery,
    SiteView,
)
from grapevine.collect.rate_limit import SITE_CHANGES
from grapevine.domain import cursors
from grapevine.domain.loopback import is_loopback
from grapevine.domain.periods import rfc3339
from grapevine.errors import Conflict, FieldError, Forbidden, Invalid, RateLimited, UnknownSite
from grapevine.sites.cache import Site
from grapevine.sites.management import NewSite, add_site, change_site
from grapevine.sites.snippet import snippet
from grapevine.sites.validation import checked_origins
from grapevine.store.rows import EVERY_SITE, KeptAnswer, SiteRow
from grapevine.web.api.auth import reached_site, reached_sites
from grapevine.web.api.call import KeyCall
from grapevine.web.api.once import HEADER, Keep, answered_once
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec
from grapevine.web.public_address import public_address

MAX_BODY: Final = 32_768
"""A hundred origins of three hundred characters."""
_LIST: Final = "sites"


class _Position(NamedTuple):
    """Behind which site a page of the list begins."""

    site_id: cursors.Number


async def list_sites(call: KeyCall, query: SitesQuery) -> SiteList:
    """The sites that the API key reaches, the oldest first."""
    last = 0 if query.cursor is None else cursors.read(query.cursor, _LIST, _Position).site_id
    await call.state.sites.reload()
    found = [site for site in await reached_sites(call.state.sites, call.key) if site.site_id > last]
    shown = found[: query.limit]
    return SiteList(
        sites=[_view(call, site.row) for site in shown],
        next=cursors.written(_LIST, _Position(shown[-1].site_id)) if len(found) > len(shown) else None,
    )


async def create_site(call: KeyCall, body: NewSiteRequest) -> Response:
    """Adds a site. The answer has its first API key, of scope `admin`, which is shown this once.

    It needs an API key that reaches every site. Send an `Idempotency-Key` to be able to repeat the call.
    """
    if call.key.site_id != EVERY_SITE:
        raise Forbidden("This API key was made for certain sites; to add one takes a key that reaches every site.")

    async def make(keep: Keep) -> NewSiteResponse:
        def answer(added: NewSite) -> KeptAnswer | None:
            return keep(added.row.site_id, _added(call, added))

        with _api_names():
            added = await add_site(
                call.state.store,
                body.name,
                body.origins,
                call.now,
                secrets.token_bytes,
                contact=body.contact or "",
                answer=answer,
            )
        await call.state.sites.reload()
        return _added(call, added)

    return await answered_once(call, body, 201, make)


async def get_site(call: KeyCall, path: SitePath) -> SiteView:
    """One site."""
    return _view(call, (await _reached(call, path)).row)


async def change_site_fields(call: KeyCall, path: SitePath, body: SiteChanges) -> SiteView:
    """Changes a site. What is left out stays as it is; running servers follow within a second.

    To add an origin on the server's own machine, such as `http://localhost`, takes a key that reaches every site.
    """
    site = await _reached(call, path)
    _count_change(call, site)
    with _api_names():
        if body.origins is not None and call.key.site_id != EVERY_SITE:
            _refuse_new_loopback(body.origins, site.row)
        changed = await change_site(call.state.store.sites, site.row, _changes(body))
    await call.state.sites.reload()
    return _view(call, changed)


async def delete_site(call: KeyCall, path: SitePath, query: DeleteSiteQuery) -> DeletionStarted:
    """Deletes a site with everything that was measured on it, which cannot be undone.

    The site is out of use at once: its visits, links and API keys are refused. The server deletes its rows in the
    background, and goes on with that after a restart. Export what you want to keep before.
    """
    site = await _reached(call, path)
    if _normal(query.confirm) != _normal(site.row.name):
        raise Conflict(f"Nothing was deleted: `confirm` has to be the name of the site, which is {site.row.name!r}.")
    await call.state.site_deletions.begin(site.site_id)
    await call.state.sites.reload()
    return DeletionStarted(site=site.key, name=site.row.name)


async def _reached(call: KeyCall, path: SitePath) -> Site:
    """Returns the site of a path as it is now. Raises Forbidden, UnknownSite."""
    await call.state.sites.reload()
    return await reached_site(call.state.sites, call.key, path.site)


def _count_change(call: KeyCall, site: Site) -> None:
    """Raises RateLimited when a site was changed too often."""
    wait = call.state.rate_limit.site_change(site.site_id, call.now)
    if wait:
        raise RateLimited(
            f"This site was changed {SITE_CHANGES} times within a minute, which is the most. Go on in {wait} s.",
            retry_after=wait,
        )


def _refuse_new_loopback(origins: Sequence[str], site: SiteRow) -> None:
    """Raises Invalid for an origin on the server's own machine that the site does not have: see docs/security.md."""
    added = [origin for origin in checked_origins(origins) if is_loopback(origin) and origin not in site.origins]
    if added:
        detail = f"cannot add {added[0]}: it is on the server's own machine, and only a key for every site adds such"
        raise Invalid.of("origin", detail)


@contextmanager
def _api_names() -> Iterator[None]:
    """Names fields in refusals as the API does: the command line takes one ``origin`` a time."""
    try:
        yield
    except Invalid as error:
        names = {"origin": "origins"}
        raise Invalid.of_all([FieldError(names.get(field, field), detail) for field, detail in error.errors]) from None


def _changes(body: SiteChanges) -> dict[str, Sequence[str]]:
    """Returns what is set, by the names that ``sites.validation`` knows. Raises Invalid."""
    texts = {
        "name": body.name,
        "param": body.param,
        "place": body.place,
        "fragment": body.fragment,
        "element": body.element,
        "values": body.values,
        "contact": body.contact,
        "webmention": body.webmention,
        "query": _joined("query", body.query),
        "keep": _joined("keep", body.keep),
    }
    changes: dict[str, Sequence[str]] = {name: (text,) for name, text in texts.items() if text is not None}
    return changes if body.origins is None else {**changes, "origin": body.origins}


def _joined(field: str, names: Sequence[str] | None) -> str | None:
    if names is None:
        return None
    if any("," in name or name.split() != [name] for name in names):
        raise Invalid.of(field, "must be a list of names of query parameters")
    return " ".join(names)


def _added(call: KeyCall, added: NewSite) -> NewSiteResponse:
    return NewSiteResponse(site=_view(call, added.row), key=added.key.secret)


def _view(call: KeyCall, row: SiteRow) -> SiteView:
    settings = call.state.settings
    address = public_address(call.request, settings)
    return SiteView(
        site=row.key,
        name=row.name,
        origins=list(row.origins),
        param=row.param,
        place=row.place,
        fragment=row.fragment,
        query=row.query.split(),
        keep=row.keep.split(),
        element=row.element,
        values=row.counted_values,
        contact=row.contact,
        webmention=row.webmention,
        created_at=rfc3339(row.created_at),
        snippet=None if address is None else snippet(row, address, settings.prefix),
    )


def _normal(name: str) -> str:
    """Returns a name however the keyboard puts its letters together."""
    return unicodedata.normalize("NFC", name.strip())


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/sites",
        handler=list_sites,
        tag="sites",
        scope="admin",
        of_site=False,
        query=SitesQuery,
        responses={200: ResponseSpec(SiteList, "A page of sites.")},
    ),
    Operation(
        method="POST",
        path="/v1/sites",
        handler=create_site,
        tag="sites",
        scope="admin",
        of_site=False,
        body=RequestBody(NewSiteRequest, MAX_BODY),
        responses={201: ResponseSpec(NewSiteResponse, "The site, and its first API key.")},
        problems=(Conflict,),
        request_headers=(HEADER,),
    ),
    Operation(
        method="GET",
        path="/v1/sites/{site}",
        handler=get_site,
        tag="sites",
        scope="admin",
        of_site=False,
        path_params=SitePath,
        responses={200: ResponseSpec(SiteView, "The site.")},
        problems=(UnknownSite,),
    ),
    Operation(
        method="PATCH",
        path="/v1/sites/{site}",
        handler=change_site_fields,
        tag="sites",
        scope="admin",
        of_site=False,
        path_params=SitePath,
        body=RequestBody(SiteChanges, MAX_BODY),
        responses={200: ResponseSpec(SiteView, "The site as it is now.")},
        problems=(UnknownSite,),
    ),
    Operation(
        method="DELETE",
        path="/v1/sites/{site}",
        handler=delete_site,
        tag="sites",
        scope="admin",
        of_site=False,
        path_params=SitePath,
        query=DeleteSiteQuery,
        responses={202: ResponseSpec(DeletionStarted, "The deletion has begun.")},
        problems=(UnknownSite, Conflict),
    ),
]
