"""``GET /v1/stats/direct``: direct visits, and how many of them are private shares."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.analytics.direct import direct_summary
from grapevine.web.api.auth import authorized
from grapevine.web.api.query_params import PERIOD, Parameters
from grapevine.web.state import app_state


async def direct_visits(request: Request) -> Response:
    """Takes a period and no filters: the estimate needs all of a page's visits."""
    site = await authorized(request)
    given = Parameters(request, *PERIOD)
    state = app_state(request)
    answer = await direct_summary(state.store.reads, site, given.period(state.clock()))
    return Response(msgspec.json.encode(answer), headers={"Cache-Control": "no-store"}, media_type="application/json")
