"""``/v1/stats/…``, ``/v1/attribution`` and ``/v1/spikes``: the numbers of a site for a period. Scope ``read``."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.analytics.attribution import attribute_conversions
from grapevine.analytics.direct import direct_summary
from grapevine.analytics.spikes import list_spikes
from grapevine.analytics.summary import breakdown_by, metric_series, period_summary
from grapevine.errors import Invalid
from grapevine.web.api.auth import authorized
from grapevine.web.api.query_params import FILTERS, PERIOD, QueryParams
from grapevine.web.responses import json_response
from grapevine.web.state import app_state

MOST_SPIKES: Final = 1_000


async def get_summary(request: Request) -> Response:
    """``GET /v1/stats/summary``. Returns the totals of a period."""
    site = await authorized(request)
    params = QueryParams(request, *PERIOD, *FILTERS)
    state = app_state(request)
    period, filters = params.period(state.clock()), params.filters()
    return json_response(await period_summary(state.store.reads, site, period, filters))


async def get_series(request: Request) -> Response:
    """``GET /v1/stats/series``. Returns ``metric`` by ``interval`` without gaps."""
    site = await authorized(request)
    params = QueryParams(request, "metric", "interval", *PERIOD, *FILTERS)
    state = app_state(request)
    metric, interval = params.required("metric"), params.text("interval") or "day"
    period, filters = params.period(state.clock()), params.filters()
    return json_response(await metric_series(state.store.reads, site, metric, interval, period, filters))


async def get_breakdown(request: Request) -> Response:
    """``GET /v1/stats/breakdown``. Returns the numbers by channel, page, source, depth, device or app."""
    site = await authorized(request)
    params = QueryParams(request, "by", "limit", *PERIOD, *FILTERS)
    state = app_state(request)
    by, limit = params.required("by"), params.number("limit", 100)
    period, filters = params.period(state.clock()), params.filters()
    return json_response(await breakdown_by(state.store.reads, site, by, period, filters, limit))


async def get_direct(request: Request) -> Response:
    """``GET /v1/stats/direct``. Returns direct visits and the estimate of private shares among them.

    It takes no filters, because the estimate needs all visits of a page.
    """
    site = await authorized(request)
    params = QueryParams(request, *PERIOD)
    state = app_state(request)
    return json_response(await direct_summary(state.store.reads, site, params.period(state.clock())))


async def get_attribution(request: Request) -> Response:
    """``GET /v1/attribution``. Returns the credit of channels, pages and shares after ``model``."""
    site = await authorized(request)
    params = QueryParams(request, "model", "goal", "limit", *PERIOD, *FILTERS)
    state = app_state(request)
    model, goal, limit = params.required("model"), params.text("goal"), params.number("limit", 100)
    period, filters = params.period(state.clock()), params.filters()
    return json_response(
        await attribute_conversions(state.store.reads, site, model, period, filters, goal=goal, limit=limit)
    )


async def get_spikes(request: Request) -> Response:
    """``GET /v1/spikes``. Returns the spikes that were raised in a period, the newest first."""
    site = await authorized(request)
    params = QueryParams(request, "limit", *PERIOD)
    state = app_state(request)
    now, limit = state.clock(), params.number("limit", 100)
    if not 1 <= limit <= MOST_SPIKES:
        raise Invalid.of("limit", f"must be 1 to {MOST_SPIKES}")
    return json_response({"spikes": await list_spikes(state.store, site, now, params.period(now), limit)})
