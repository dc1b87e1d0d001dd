"""``/v1/counts``: how often a page was shared, for the numbers on its buttons. Open to every origin."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.domain.urls import UrlError
from grapevine.errors import Invalid, Problem, StoreError, UnknownSite
from grapevine.web.caches import EncodedCounts, encode_counts
from grapevine.web.problems import problem_response, store_problem
from grapevine.web.responses import JSON, NO_STORE
from grapevine.web.state import AppState, app_state

_CORS: Final = {"Access-Control-Allow-Origin": "*"}
_CACHEABLE: Final = _CORS | {"Cache-Control": "public, max-age=60"}
_NOT_CACHEABLE: Final = _CORS | NO_STORE


async def counts(request: Request) -> Response:
    """``GET /v1/counts``. Returns the shares of the page ``url`` of ``site``, in all and by channel.

    Unknown parameters are ignored, as in all calls of the widget.
    """
    try:
        found = await _counts(app_state(request), request.query_params.get("site"), request.query_params.get("url"))
    except (Problem, StoreError) as error:
        refusal = problem_response(store_problem(error) if isinstance(error, StoreError) else error)
        refusal.headers.update(_NOT_CACHEABLE)
        return refusal
    headers = _CACHEABLE | {"ETag": found.etag}
    known = (tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(","))
    if found.etag in known:
        return Response(None, 304, headers)
    return Response(found.body, 200, headers, JSON)


async def _counts(state: AppState, key: str | None, url: str | None) -> EncodedCounts:
    if key is None or url is None:
        raise Invalid.of("site" if key is None else "url", "is needed")
    site = await state.sites.by_key(key)
    if site is None:
        raise UnknownSite(f"No site of this server has the key {key[:40]!r}; `grapevine site list` shows all of them.")
    try:
        page = site.page(url).page_id
    except UrlError as error:
        raise Invalid.of("url", str(error)) from None
    found = state.caches.counts.get(site.site_id, page)
    if found is None:
        found = encode_counts(await state.store.quick.shares.shares_of_page(site.site_id, page))
        state.caches.counts.put(site.site_id, page, found)
    return found
