"""``/v1/counts``: how often a page was shared, for the numbers on its buttons. Open to every origin."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.api_schemas.public import ShareCounts
from grapevine.domain.urls import UrlError
from grapevine.errors import Busy, Invalid, Problem, RateLimited, StoreError, UnknownSite
from grapevine.web.api.operation import Operation, ResponseSpec
from grapevine.web.api.query import read_known
from grapevine.web.caches import EncodedCounts, encode_counts
from grapevine.web.problems import problem_response, store_problem
from grapevine.web.public.collect import CORS
from grapevine.web.rate_limits import limited
from grapevine.web.responses import JSON, NO_STORE, is_known
from grapevine.web.state import AppState, app_state

_CACHEABLE: Final = CORS | {"Cache-Control": "public, max-age=60"}
_NOT_CACHEABLE: Final = CORS | NO_STORE


class CountsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/counts``."""

    site: Annotated[str, msgspec.Meta(examples=["k7Rz0XaVn2fQ"])]
    """The public key of the site."""
    url: Annotated[str, msgspec.Meta(examples=["https://www.example.com/bread"])]
    """The URL of the page, in any spelling."""


async def counts(request: Request) -> Response:
    """How often a page was shared, in all and by channel.

    All shares count that were reported or proven since the page was first shared, private ones included; those of
    visits with a verdict do not. Unknown parameters are ignored, as in all calls of the widget. The response is at most
    ten seconds old.
    """
    try:
        found = await _counts(app_state(request), read_known(request.query_params, CountsQuery))
    except (Problem, StoreError) as error:
        refusal = problem_response(store_problem(error) if isinstance(error, StoreError) else error)
        refusal.headers.update(_NOT_CACHEABLE)
        return refusal
    headers = _CACHEABLE | {"ETag": found.etag}
    if is_known(request, found.etag):
        return Response(None, 304, headers)
    return Response(found.body, 200, headers, JSON)


async def _counts(state: AppState, asked: CountsQuery) -> EncodedCounts:
    key, url = asked.site, asked.url
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


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/counts",
        handler=limited(counts),
        tag="collect",
        scope=None,
        is_cors=True,
        query=CountsQuery,
        request_headers=("If-None-Match",),
        responses={
            200: ResponseSpec(ShareCounts, "The numbers.", headers=("ETag", "Access-Control-Expose-Headers")),
            304: ResponseSpec(text="Nothing has changed.", headers=("ETag", "Access-Control-Expose-Headers")),
        },
        problems=(UnknownSite, Invalid, RateLimited, Busy),
    )
]
