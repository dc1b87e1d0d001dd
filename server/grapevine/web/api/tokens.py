"""The read API: who may ask, what was asked, and the answer of ``analytics`` as JSON."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.analytics.attribution import attribute_conversions
from grapevine.analytics.cascades import list_cascades, read_cascade
from grapevine.analytics.summary import breakdown_by, metric_series, period_summary
from grapevine.analytics.token_resolution import resolve_many_tokens, resolve_token
from grapevine.domain.json_input import decode
from grapevine.domain.tokens import BadSignature, NotAToken
from grapevine.errors import BadSignatureProblem, NotATokenProblem
from grapevine.web.api.auth import authorized
from grapevine.web.api.query_params import FILTERS, PERIOD, Parameters
from grapevine.web.request_body import read_body
from grapevine.web.state import app_state

MOST_TOKENS: Final = 1_000
MAX_BODY: Final = 65_536


class ResolveRequest(msgspec.Struct, forbid_unknown_fields=True):
    """``POST /v1/tokens/resolve``."""

    tokens: Annotated[list[str], msgspec.Meta(max_length=MOST_TOKENS)]


async def token(request: Request) -> Response:
    """``GET /v1/tokens/{token}``."""
    site = await authorized(request)
    Parameters(request)
    try:
        answer = await resolve_token(app_state(request).store.reads, site, request.path_params["token"])
    except NotAToken as error:
        raise NotATokenProblem(f"Not a token: {error}.") from None
    except BadSignature as error:
        raise BadSignatureProblem(f"Not a share of this site: {error}.") from None
    return _json(answer)


async def resolve_tokens(request: Request) -> Response:
    """``POST /v1/tokens/resolve``."""
    site = await authorized(request)
    Parameters(request)
    asked = decode(await read_body(request, MAX_BODY), ResolveRequest)
    results = await resolve_many_tokens(app_state(request).store.reads, site, asked.tokens)
    return _json({"results": results})


async def summary(request: Request) -> Response:
    """``GET /v1/stats/summary``."""
    site = await authorized(request)
    given = Parameters(request, *PERIOD, *FILTERS)
    state = app_state(request)
    return _json(await period_summary(state.store.reads, site, given.period(state.clock()), given.filters()))


async def series(request: Request) -> Response:
    """``GET /v1/stats/series``."""
    site = await authorized(request)
    given = Parameters(request, "metric", "interval", *PERIOD, *FILTERS)
    state = app_state(request)
    metric, interval = given.needed("metric"), given.text("interval") or "day"
    period, filters = given.period(state.clock()), given.filters()
    return _json(await metric_series(state.store.reads, site, metric, interval, period, filters))


async def breakdown(request: Request) -> Response:
    """``GET /v1/stats/breakdown``."""
    site = await authorized(request)
    given = Parameters(request, "by", "limit", *PERIOD, *FILTERS)
    state = app_state(request)
    by, limit = given.needed("by"), given.number("limit", 100)
    period, filters = given.period(state.clock()), given.filters()
    return _json(await breakdown_by(state.store.reads, site, by, period, filters, limit))


async def attribution(request: Request) -> Response:
    """``GET /v1/attribution``."""
    site = await authorized(request)
    given = Parameters(request, "model", "goal", "limit", *PERIOD, *FILTERS)
    state = app_state(request)
    model, goal, limit = given.needed("model"), given.text("goal"), given.number("limit", 100)
    period, filters = given.period(state.clock()), given.filters()
    return _json(await attribute_conversions(state.store.reads, site, model, period, filters, goal, limit))


async def cascades(request: Request) -> Response:
    """``GET /v1/cascades``."""
    site = await authorized(request)
    given = Parameters(request, "sort", "limit", "cursor")
    state = app_state(request)
    sort, limit, cursor = given.text("sort") or "size", given.number("limit", 20), given.text("cursor")
    return _json(await list_cascades(state.store, site, state.clock(), sort, limit, cursor))


async def cascade(request: Request) -> Response:
    """``GET /v1/cascades/{root}``."""
    site = await authorized(request)
    Parameters(request)
    state = app_state(request)
    return _json(await read_cascade(state.store, site, request.path_params["root"], state.clock()))


def _json(answer: Any) -> Response:
    # What a key may see is nobody else's, so no cache on the way may keep it.
    return Response(msgspec.json.encode(answer), headers={"Cache-Control": "no-store"}, media_type="application/json")
