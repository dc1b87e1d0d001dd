"""Where a short link leads, and what is noted of a person or a robot that follows it, for ``/s/`` and ``/go/``."""

from __future__ import annotations

from contextlib import suppress
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grapevine.collect.user_agents import read_agent
from grapevine.domain import ids
from grapevine.domain.token_urls import tagged
from grapevine.domain.tokens import Token
from grapevine.domain.urls import OTHER_PAGE, UrlError, origin_of
from grapevine.errors import Busy
from grapevine.sites.cache import Site
from grapevine.store.readers.shares import FollowedLink
from grapevine.web.public.plain_page import HEADERS, plain_page
from grapevine.web.state import AppState

_EXPIRED: Final = """It was made to lead to a page for some time only.
Go to <a href="{home}">{host}</a> to see what is there now."""

_YOUNG_DAYS: Final = 1
"""No setting deletes visits of today or yesterday, so their shares are looked for once."""

_EARLY: Final = ("prefetch", "prerender", "preview")
_FETCHED_EARLY: Final = ("sec-purpose", "purpose", "x-moz", "x-purpose")
"""Headers by which browsers say that they fetch a page before a person asks to see it, or only its preview."""


async def found_link(state: AppState, site: Site, token: Token) -> FollowedLink:
    """Returns where a token's short link leads: one statement, but for shares of visits that may be past retention."""
    named = (site.site_id, token.visit_id, token.channel, token.n)
    found = await state.store.quick.shares.followed_link(*named)
    if found.url is None and ids.day_of(token.visit_id) < ids.day_at(state.clock()) - _YOUNG_DAYS:
        return FollowedLink(await state.store.quick.shares.kept_url(*named))
    return found


def redirect(state: AppState, site: Site, text: str, found: FollowedLink) -> Response:
    """Returns the redirect to the page that was shared or that a minted link is for, with the token ``text`` in its
    URL; to the site's home page where there is none.

    Of a share, it is the page that the sharer's own browser reported, and never the one that the sharer's visit began
    on, whose query may hold a secret: a recipient could look it up there, before any report and after one of their own.
    The origin is checked again, because the site's list of origins may have changed since.
    """
    row = site.row
    url = found.url if _is_on(site, found.url) else None
    location = tagged(url or _home(site), text, row.param, row.place, row.joint(ids.day_at(state.clock())))
    return RedirectResponse(location, 302, HEADERS)


async def follow_minted(request: Request, state: AppState, site: Site, token: Token, found: FollowedLink) -> Response:
    """Returns the redirect of a minted link, or a page that says that it has expired.

    Nothing of this is kept in memory, so that no process serves a link that has expired or was deleted in another one.
    A click is counted without waiting for it.
    """
    if found.expires_at is not None and found.expires_at <= state.clock():
        home = escape(_home(site))
        host = escape(site.row.origins[0].partition("://")[2])
        return plain_page(410, "This link has expired", _EXPIRED.format(home=home, host=host))
    token = at_place(request, token, found)
    response = redirect(state, site, site.tokens.mint_one(*token), found)
    agent = read_agent(request.headers.get("user-agent", ""))
    if agent.preview:
        await note_preview(state, site, token, agent.preview)
    elif not (agent.robot or agent.suspect) and _is_asked_for(request):
        state.collect_api.click(site, token)
    return response


async def note_preview(state: AppState, site: Site, token: Token, app: str) -> None:
    """Records that a preview robot followed a link; a full queue does not stop the redirect."""
    with suppress(Busy):
        await state.collect_api.unfurl(site, token, app)


def at_place(request: Request, token: Token, found: FollowedLink) -> Token:
    """Returns the token of the place that ``?at=`` names; the link's own where that names none of its places, or more
    than one."""
    names = request.query_params.getlist("at")
    if len(names) == 1 and found.places and names[0] in found.places:
        return token._replace(n=found.places.index(names[0]) + 1)
    return token


def _is_asked_for(request: Request) -> bool:
    """Whether a person asked for the page, and did not ask not to be followed."""
    headers = request.headers
    if request.method != "GET" or headers.get("sec-gpc") == "1" or headers.get("dnt") == "1":
        return False
    return not any(word in headers.get(name, "").lower() for name in _FETCHED_EARLY for word in _EARLY)


def _is_on(site: Site, url: str | None) -> bool:
    """Whether a URL is on one of the site's origins."""
    if url is None or url == OTHER_PAGE:
        return False
    try:
        return origin_of(url) in site.origins
    except UrlError:
        return False


def _home(site: Site) -> str:
    return f"{site.row.origins[0]}/"
