"""The frame of all dashboard pages: the signed-in viewer, the chosen site, security headers, refusals as pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grapevine.errors import Forbidden, Invalid, Problem
from grapevine.sites.cache import Site
from grapevine.store.rows import KeyRow
from grapevine.web.api.auth import reached_sites
from grapevine.web.dashboard import session
from grapevine.web.dashboard.rendering import render_page
from grapevine.web.dashboard.security import HEADERS
from grapevine.web.dashboard.view_url import ViewUrl
from grapevine.web.state import AppState, app_state

MOST_SITES: Final = 100
"""Sites in the menu of a key that reaches all of them."""

Handler = Callable[[Request], Awaitable[Response]]

_SIGNED_OUT: Final[dict[str, Any]] = {"viewer": None}
_NO_SITE_YET: Final = (
    "Add one on the server: `grapevine site add NAME --origin https://example.com`. It prints the code to paste; then "
    "load this page again, and it waits for the first visit."
)
_INVALID_URL: Final = "This address cannot be read"


class Viewer(msgspec.Struct, frozen=True):
    """The signed-in key, the chosen site, and all sites that the key reaches."""

    key: KeyRow
    site: Site
    sites: list[Site]

    @property
    def listed(self) -> list[Site]:
        """The first sites, for the menu; the chosen one is among them."""
        first = self.sites[:MOST_SITES]
        return first if self.site in first else [self.site, *first[1:]]


class _SignInNeeded(Exception):
    """No key is signed in."""


class _NoSite(Exception):
    """The key reaches every site, and the server has none yet."""


def dashboard_page(handler: Handler) -> Handler:
    """Wraps a handler: every response gets the security headers, every Problem becomes a page."""

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        try:
            response = await handler(request)
        except _SignInNeeded:
            response = _to_sign_in(request)
        except _NoSite:
            response = render_page("problem.html", **_SIGNED_OUT, title="No site yet", detail=_NO_SITE_YET)
        except Problem as problem:
            frame = getattr(request.state, "frame", _SIGNED_OUT)
            title = _INVALID_URL if isinstance(problem, Invalid) else problem.title
            response = render_page("problem.html", problem.status, **frame, title=title, detail=problem.detail)
            if problem.retry_after is not None:
                response.headers["Retry-After"] = str(problem.retry_after)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return endpoint


def _to_sign_in(request: Request) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    response = RedirectResponse(ViewUrl("/sign-in", {}).to("/sign-in", next=None if wanted == "/" else wanted), 303)
    state = app_state(request)
    if session.cookie_name(request, state) in request.cookies:
        session.delete_cookie(request, state, response)
    return response


async def _viewer(request: Request, state: AppState) -> Viewer:
    """Returns the viewer. Raises Forbidden for a site that the key does not reach, whether it exists or not."""
    key = await session.signed_in_key(request, state)
    if key is None:
        raise _SignInNeeded
    reached = await reached_sites(state.sites, key)
    wanted = request.query_params.get("site")
    if wanted:
        chosen = next((site for site in reached if site.key == wanted), None)
        if chosen is None:
            raise Forbidden("This key reaches no site with that name. Sign in with a key made for it.")
        return Viewer(key, chosen, reached)
    if not reached:
        raise _NoSite
    return Viewer(key, reached[0], reached)


async def viewer_context(request: Request, section: str) -> tuple[AppState, Viewer, ViewUrl]:
    """Returns the context of a page behind the sign-in: the application state, the viewer and the requested URL.

    The layout's part of it stays in ``request.state.frame``, so that a refusal has the same layout.
    """
    state = app_state(request)
    viewer = await _viewer(request, state)
    view_url = ViewUrl(request.url.path, request.query_params)
    request.state.frame = {"viewer": viewer, "site": viewer.site, "view_url": view_url, "section": section}
    return state, viewer, view_url
