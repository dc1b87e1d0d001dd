"""Check a page: what keeps visits of one of the site's own pages from being counted, and what to do.

Only addresses of the signed-in site are visited, redirects and what the page names included, and never a private one:
a key of a site must not look into the server's network. What is shown are findings, never the page. Where this server
is for its own machine alone, pages whose addresses say that they are on it are visited, too, and from them only such.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.analytics.breakdown import breakdown_by
from grapevine.config.public_url import public_url
from grapevine.doctor.page.examine import examine_page
from grapevine.doctor.page.fetch import visiting
from grapevine.doctor.page.installation import Installation
from grapevine.domain.loopback import is_loopback
from grapevine.domain.periods import DEFAULT_DAYS, Period
from grapevine.domain.urls import UrlError, origin_of
from grapevine.egress.policy import EgressPolicy
from grapevine.web.dashboard.page import Viewer, dashboard_page, viewer_context
from grapevine.web.dashboard.rendering import render_page
from grapevine.web.dashboard.security import read_form, refuse_foreign
from grapevine.web.public_address import public_address
from grapevine.web.state import AppState, app_state

SUGGESTED: Final = 5
"""Pages of the site that can be checked with one click."""
LONGEST: Final = 2_048
OWN_MACHINE: Final = ("127.0.0.0/8", "::1/128")


@dashboard_page
async def check_form(request: Request) -> Response:
    """``GET /check``. Returns the form."""
    state, viewer, _ = await viewer_context(request, "check")
    return await _page(request, state, viewer)


@dashboard_page
async def check_page(request: Request) -> Response:
    """``POST /check``. Checks a page of the site and returns what was found."""
    refuse_foreign(request, app_state(request).settings)
    state, viewer, _ = await viewer_context(request, "check")
    typed = (await read_form(request)).get("url", "").strip()[: LONGEST + 1]
    url = own_url(typed, viewer.site.row.origins)
    if url is None:
        return await _page(request, state, viewer, typed=typed, status=422, wrong=True)
    address = public_address(request, state.settings)
    installation = Installation(
        sites=[viewer.site.row],
        script=public_url(address, state.settings.prefix, "/widget.js") if address else None,
        only=viewer.site.row,
        now=state.clock(),
    )
    policy, origins = _reach(url, viewer.site.row.origins, address)
    with state.page_checks.started(viewer.site.site_id):
        async with visiting(policy, origins=origins) as visitor:
            report = await examine_page(url, visitor, installation)
    return await _page(request, state, viewer, typed=typed, report=report)


def own_url(typed: str, origins: tuple[str, ...]) -> str | None:
    """Returns the URL of the site's page that somebody typed: whole, without a scheme, or only its path.

    Returns None for what is on no address of the site.
    """
    if typed.startswith("/") and not typed.startswith("//"):
        return _if_own(origins[0] + typed, origins)
    if "://" in typed:
        return _if_own(typed, origins)
    schemes = (f"{scheme}://{typed}" for scheme in ("https", "http"))
    return next((url for each in schemes if (url := _if_own(each, origins))), None)


def _reach(url: str, origins: tuple[str, ...], address: str | None) -> tuple[EgressPolicy, frozenset[str]]:
    """Returns what a check of a page may visit.

    An origin that merely resolves to loopback is never visited: through the API a site's owner can add any such name.
    """
    if address is not None and is_loopback(address) and is_loopback(url):
        own = frozenset(origin for origin in origins if is_loopback(origin))
        return EgressPolicy(OWN_MACHINE, plain_http=True, remedy=""), own
    return EgressPolicy(plain_http=True, remedy=""), frozenset(origins)


def _if_own(url: str, origins: tuple[str, ...]) -> str | None:
    try:
        return url if origin_of(url) in origins else None
    except UrlError:
        return None


async def _page(
    request: Request, state: AppState, viewer: Viewer, *, typed: str = "", status: int = 200, **context: object
) -> Response:
    now, site = state.clock(), viewer.site
    found = await breakdown_by(state.store.reads, site, "page", Period.ending(now, DEFAULT_DAYS), limit=2 * SUGGESTED)
    pages = [str(row.key) for row in found if own_url(str(row.key), site.row.origins)]
    frame = {"typed": typed, "pages": pages[:SUGGESTED], "report": None, "wrong": False} | context
    return render_page("check.html", status, **request.state.frame, **frame)
