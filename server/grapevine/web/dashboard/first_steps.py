"""The first steps of a new site: how to paste the snippet, what the site waits for, and what has come.

Every page without data shows them as long as the site has not seen a return. A page that waits asks for the part that
changes, ``GET /first-steps``, again and again (``static/first_steps.js``); decision 57 says why it asks.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from grapevine.collect.recent_refusals import OPAQUE, RecentRefusal
from grapevine.sites.cache import Site
from grapevine.sites.platforms import Platform, pasted_code, platforms
from grapevine.web.dashboard.page import Viewer, dashboard_page, viewer_context
from grapevine.web.dashboard.rendering import render_page
from grapevine.web.public_address import bound_address
from grapevine.web.state import AppState

POLL_MS: Final = 1_000
"""How often a page that waits asks. With the age of an answer (``steps_cache.FRESH_MS``) it stays below
two seconds."""
PAUSE_MINUTES: Final = 30
"""A page that was not touched for so long stops asking, so that one left open over night costs nothing."""


class Pasted(NamedTuple):
    """A platform, and the code to paste there for one site."""

    platform: Platform
    code: str


async def steps_context(request: Request, state: AppState, viewer: Viewer, *, wanted: bool) -> dict[str, Any]:
    """Returns what the templates of the first steps show. ``steps`` is None when the site has taken all of them, or
    they are not ``wanted``, because the page has something to show."""
    site = viewer.site
    steps = await state.caches.first_steps.read(site) if wanted else None
    if steps is None or steps.next is None:
        return {"steps": None}
    refused = state.collect_api.recent_refusals.of_site(site, state.clock()) if steps.next == "visit" else []
    base_url = state.settings.base_url
    address = base_url or bound_address(request)
    return {
        "steps": steps,
        "refusals": [(one, _allowing(site, one)) for one in refused],
        "opaque": OPAQUE,
        "base_url": base_url,
        "platforms": [
            Pasted(platform, pasted_code(platform, site.row, address, state.settings.prefix))
            for platform in platforms()
        ],
        "poll_ms": POLL_MS,
        "pause_minutes": PAUSE_MINUTES,
    }


def _allowing(site: Site, refused: RecentRefusal) -> str | None:
    """Returns the command that adds a refused page's origin to those of the site; None where that would not help."""
    if refused.key is not None or refused.origin == OPAQUE:
        return None
    origins = (*site.row.origins, refused.origin)
    return f"grapevine site set {site.key} " + " ".join(f"origin={origin}" for origin in origins)


@dashboard_page
async def first_steps_part(request: Request) -> Response:
    """``GET /first-steps``. Returns the part of a waiting page that changes, without the page around it."""
    state, viewer, _ = await viewer_context(request, "overview")
    return render_page(
        "first_steps.html", **request.state.frame, **await steps_context(request, state, viewer, wanted=True)
    )
