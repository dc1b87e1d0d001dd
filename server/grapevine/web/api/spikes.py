"""``GET /v1/spikes``: the pages whose returns rose far above their own rate."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.analytics.spikes import list_spikes
from grapevine.errors import Invalid
from grapevine.web.api.auth import authorized
from grapevine.web.api.query_params import PERIOD, Parameters
from grapevine.web.state import app_state

MOST: Final = 1_000


async def spikes(request: Request) -> Response:
    """Those that were raised in a period, the newest first."""
    site = await authorized(request)
    given = Parameters(request, "limit", *PERIOD)
    state = app_state(request)
    now, limit = state.clock(), given.number("limit", 100)
    if not 1 <= limit <= MOST:
        raise Invalid.of("limit", f"must be 1 to {MOST}")
    found = await list_spikes(state.store, site, now, given.period(now), limit)
    return Response(
        msgspec.json.encode({"spikes": found}), headers={"Cache-Control": "no-store"}, media_type="application/json"
    )
