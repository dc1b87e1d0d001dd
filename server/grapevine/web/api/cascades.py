"""``/v1/cascades``: the list of a site's cascades, and one cascade with all its nodes. Scope ``read``."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from grapevine.analytics.cascades import MOST_NODES, list_cascades, read_cascade
from grapevine.web.api.auth import authorized
from grapevine.web.api.query_params import QueryParams
from grapevine.web.responses import json_response
from grapevine.web.state import app_state


async def get_cascades(request: Request) -> Response:
    """``GET /v1/cascades``. Returns one page of cascades in the order ``sort``."""
    site = await authorized(request)
    params = QueryParams(request, "sort", "limit", "cursor")
    state = app_state(request)
    sort, limit, cursor = params.text("sort") or "size", params.number("limit", 20), params.text("cursor")
    return json_response(await list_cascades(state.store, site, state.clock(), sort, limit, cursor))


async def get_cascade(request: Request) -> Response:
    """``GET /v1/cascades/{root}``. Returns the cascade that grew from the visit ``root``, with its first nodes."""
    site = await authorized(request)
    QueryParams(request)
    state = app_state(request)
    found = await read_cascade(state.store, site, request.path_params["root"], state.clock())
    return json_response(found.first(MOST_NODES))
