"""The handlers of the dashboard's pages: each reads its URL, runs queries of ``analytics``, and fills one template."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grapevine.analytics.breakdown import breakdown_by
from grapevine.analytics.cascade_unfurls import cascade_unfurls
from grapevine.analytics.cascades import SORTS, list_cascades, read_cascade
from grapevine.analytics.metrics import BreakdownRow, Filters, Summary
from grapevine.analytics.series import metric_series
from grapevine.analytics.spikes import SpikeView, list_spikes
from grapevine.analytics.summary import period_summary
from grapevine.analytics.token_resolution import resolve_token
from grapevine.domain import ids
from grapevine.domain.periods import Period
from grapevine.domain.token_urls import find_token
from grapevine.domain.tokens import TokenError
from grapevine.errors import ForeignForm, NotFound, Problem
from grapevine.sites.api_keys import find_key
from grapevine.sites.cache import Site
from grapevine.web.dashboard import assets, formats, session
from grapevine.web.dashboard.cascade_picture import draw
from grapevine.web.dashboard.chart import chart, interval_for
from grapevine.web.dashboard.erase import may_erase
from grapevine.web.dashboard.first_steps import steps_context
from grapevine.web.dashboard.foreign_forms import over_http
from grapevine.web.dashboard.mentions import mentions_beside
from grapevine.web.dashboard.page import Viewer, dashboard_page, viewer_context
from grapevine.web.dashboard.rendering import render_page
from grapevine.web.dashboard.security import local_path, read_form, refuse_foreign
from grapevine.web.rate_limits import count_sign_in
from grapevine.web.state import AppState, app_state

CHARTED: Final = ("visits", "shares", "returns")
TABLES: Final = ("channel", "page", "source")
TABLE_ROWS: Final = 12
MOST_PAGES: Final = 100
PAGE_OF_CASCADES: Final = 25
MOST_SPIKES: Final = 100
SPIKE_ROWS: Final = 3
_GONE: Final = "This site signed it, but the visit that made the share is not stored here."
_SESSION: Final = (
    "That is the session of a visit, not a share. A session is a secret of the visit and never belongs in a link."
)
_FORGED: Final = (
    "It looks like a share token, but it was not signed for this site: "
    "it was mistyped or altered, or it is from elsewhere."
)
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@dashboard_page
async def sign_in_page(request: Request) -> Response:
    """``GET /sign-in``. Returns the form, or redirects a signed-in browser."""
    state = app_state(request)
    target = local_path(request.query_params.get("next", "/"))
    if await session.signed_in_key(request, state):
        return RedirectResponse(target, 303)
    return render_page("sign_in.html", viewer=None, target=target, wrong=False)


@dashboard_page
async def sign_in(request: Request) -> Response:
    """``POST /sign-in``. Exchanges an API key for a signed session cookie."""
    state = app_state(request)
    refuse_foreign(request, state.settings)
    dropped = over_http(request, state.settings.base_url)
    if dropped is not None:
        raise ForeignForm(dropped)
    count_sign_in(request)
    form = await read_form(request)
    target = local_path(form.get("next", "/"))
    secret = form.get("key", "").strip()
    key = await find_key(state.store.api_keys, secret) if secret else None
    if key is None:
        return render_page("sign_in.html", 401, viewer=None, target=target, wrong=True)
    response = RedirectResponse(target, 303)
    await session.begin(request, state, response, key)
    return response


@dashboard_page
async def sign_out(request: Request) -> Response:
    """``POST /sign-out``. Ends the browser's session and deletes its cookie."""
    state = app_state(request)
    refuse_foreign(request, state.settings)
    await session.end(request, state)
    return _signed_out(request, state)


@dashboard_page
async def sign_out_everywhere(request: Request) -> Response:
    """``POST /sign-out-everywhere``. Ends every session of the API key, this one and those of other browsers."""
    state = app_state(request)
    refuse_foreign(request, state.settings)
    key = await session.signed_in_key(request, state)
    if key is not None:
        await state.store.sessions.end_all(key.key_id)
    return _signed_out(request, state)


@dashboard_page
async def overview_page(request: Request) -> Response:
    """``GET /``. Returns the Overview: the numbers of a period."""
    state, viewer, view_url = await viewer_context(request, "overview")
    site = viewer.site
    now = state.clock()
    period, filters = view_url.period(now), view_url.filters()
    interval = interval_for(period)
    reads = state.store.reads
    numbers = await period_summary(reads, site, period, filters)
    lines = {metric: await metric_series(reads, site, metric, interval, period, filters) for metric in CHARTED}
    tables = {by: await breakdown_by(reads, site, by, period, filters, MOST_PAGES) for by in TABLES}
    empty = not (numbers.visits or numbers.views or numbers.shares.total or numbers.unfurls)
    learning = not numbers.returns and (empty or not view_url.chosen())
    return render_page(
        "overview.html",
        **request.state.frame,
        period=period,
        interval=interval,
        summary=numbers,
        charts=[(metric, chart(points, interval)) for metric, points in lines.items()],
        rows=tables,
        unlisted=_unlisted(numbers, tables["page"]),
        most=TABLE_ROWS,
        spikes=await _spikes(state, site, now, period, filters),
        most_spikes=SPIKE_ROWS,
        empty=empty,
        **await steps_context(request, state, viewer, wanted=learning),
    )


@dashboard_page
async def cascades_page(request: Request) -> Response:
    """``GET /cascades``. Returns one page of the list of cascades."""
    state, viewer, view_url = await viewer_context(request, "cascades")
    sort = view_url.params.get("sort", SORTS[0])
    found = await list_cascades(
        state.store, viewer.site, state.clock(), sort, PAGE_OF_CASCADES, view_url.params.get("cursor")
    )
    steps = await steps_context(request, state, viewer, wanted=not found.cascades)
    return render_page("cascades.html", **request.state.frame, found=found, sort=sort, **steps)


@dashboard_page
async def cascade_page(request: Request) -> Response:
    """``GET /cascades/{root}``. Returns one cascade, drawn as a tree."""
    state, viewer, _ = await viewer_context(request, "cascades")
    found = await read_cascade(state.store, viewer.site, request.path_params["root"], state.clock())
    return render_page(
        "cascade.html",
        **request.state.frame,
        cascade=found,
        drawing=await asyncio.to_thread(draw, found),  # 100,000 visits take a while, in which nobody should wait
        pasted=await cascade_unfurls(state.store.reads, viewer.site, found.root),
        lasted=formats.elapsed(found.started_at, found.last_at),
        mentioned=await mentions_beside(state, viewer.site, found.url) if found.url else None,
    )


@dashboard_page
async def tokens_page(request: Request) -> Response:
    """``GET /tokens``. Resolves a share token, or a URL that contains one."""
    state, viewer, view_url = await viewer_context(request, "tokens")
    site = viewer.site
    text = view_url.params.get("token", "").strip()
    context: dict[str, Any] = {"text": text, "found": None, "wrong": None, "elsewhere": None, "status": 200}
    context["prefix"] = site.row.token_prefix(ids.day_at(state.clock()))
    context |= {"may_erase": may_erase(viewer), "erased": view_url.params.get("erased")}
    if text:
        token = find_token(text, site.row.param)
        try:
            context["found"] = await resolve_token(state.store.reads, site, token)
        except (TokenError, Problem) as error:
            context |= await _bad_token(state, viewer, site, token, error)
    context |= await steps_context(request, state, viewer, wanted=not text)
    return render_page("tokens.html", **request.state.frame, **context)


async def _bad_token(
    state: AppState, viewer: Viewer, site: Site, token: str, error: TokenError | Problem
) -> dict[str, Any]:
    """Returns the template context that explains why a token could not be resolved."""
    if isinstance(error, Problem):
        return {"status": error.status, "wrong": _GONE}
    if error.reason == "not-a-token":
        return {"status": 400, "wrong": f"That is not a share token: {error}."}
    owner = await state.sites.owner(token)
    if owner and owner[0].site_id == site.site_id and owner[1].is_session:
        return {"status": 422, "wrong": _SESSION}
    if owner and any(reached.site_id == owner[0].site_id for reached in viewer.sites):
        wrong = f"That token belongs to another of your sites, {owner[0].row.name}."
        return {"status": 422, "wrong": wrong, "elsewhere": owner[0].key}
    return {"status": 422, "wrong": _FORGED}


@dashboard_page
async def static_file(request: Request) -> Response:
    """``GET /static/{name}``. Returns one of the dashboard's own files."""
    found = assets.asset(request.path_params["name"])
    if found is None:
        raise NotFound("No such file.")
    return Response(found.content, media_type=found.media_type, headers={"Cache-Control": _FOR_EVER})


def _unlisted(numbers: Summary, pages: list[BreakdownRow]) -> dict[str, int]:
    """Returns the numbers of all pages that are not among ``pages``; nothing where these are all."""
    if len(pages) < MOST_PAGES:
        return {}
    totals = {"visits": numbers.visits, "shares": numbers.shares.total, "returns": numbers.returns}
    return {name: total - sum(getattr(row, name) for row in pages) for name, total in totals.items()}


async def _spikes(state: AppState, site: Site, now: int, period: Period, filters: Filters) -> list[SpikeView]:
    """Returns the spikes of ``period``, the newest first.

    A spike is of all returns of a page, so a filter by anything else leaves none.
    """
    if filters != Filters(page=filters.page):
        return []
    return (await list_spikes(state.store, site, now, period, MOST_SPIKES, filters.page)).spikes


def _signed_out(request: Request, state: AppState) -> Response:
    response = RedirectResponse("/sign-in", 303)
    session.delete_cookie(request, state, response)
    return response
