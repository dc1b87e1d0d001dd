"""The page "Mentions": pages elsewhere that mention pages of the site, and those of one page for other views."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.analytics.mentions import ListedMentions, list_mentions
from grapevine.domain import ids
from grapevine.domain.periods import Period
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.store.repositories.mentions import KINDS
from grapevine.web.dashboard.page import dashboard_page, viewer_context
from grapevine.web.dashboard.rendering import render_page
from grapevine.web.public_address import public_address
from grapevine.web.state import AppState

PAGE_OF_MENTIONS: Final = 25
BESIDE: Final = 8
"""Mentions of a page that are shown beside its cascades."""
_YEAR: Final = 365
_FILTERS: Final = ("page", "kind", "gone")


@dashboard_page
async def mentions_page(request: Request) -> Response:
    """``GET /mentions``. Returns one page of the list: mentions of a period, also of one page or kind, or gone ones."""
    state, viewer, view_url = await viewer_context(request, "mentions")
    params, site = view_url.params, viewer.site
    kind, gone = params.get("kind"), params.get("gone")
    if kind is not None and kind not in KINDS:
        raise Invalid.of("kind", f"must be one of {', '.join(KINDS)}")
    if gone not in (None, "true", "false"):
        raise Invalid.of("gone", "must be true or false")
    now = state.clock()
    period = view_url.period(now)
    found = await list_mentions(
        state.store,
        site,
        period,
        now,
        PAGE_OF_MENTIONS,
        page=params.get("page"),
        kind=kind,
        gone=None if gone is None else gone == "true",
        cursor=params.get("cursor"),
    )
    return render_page(
        "mentions.html",
        **request.state.frame,
        period=period,
        found=found,
        chosen={name: params.get(name) for name in _FILTERS},
        narrowed=any(name in params for name in _FILTERS),
        takes=site.row.webmention == "on",
        address=public_address(request, state.settings),
    )


async def mentions_beside(state: AppState, site: Site, page: str) -> ListedMentions:
    """Returns the last mentions of a page, for what stands beside its cascades."""
    now = state.clock()
    today = ids.day_at(now)
    period = Period(ids.day_date(max(0, today - _YEAR)), ids.day_date(today))
    return await list_mentions(state.store, site, period, now, BESIDE, page=page)
