"""``/s/{token}``: the short link of a share. Preview robots that fetch it show where the link was pasted."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from grapevine.api_schemas.tokens import TokenPath
from grapevine.collect.user_agents import read_agent
from grapevine.domain import ids
from grapevine.domain.token_urls import leading_token, tagged
from grapevine.domain.tokens import Token
from grapevine.domain.urls import OTHER_PAGE, UrlError, origin_of
from grapevine.errors import Busy, RateLimited
from grapevine.sites.cache import Site
from grapevine.web.api.operation import HTML, Operation, ResponseSpec
from grapevine.web.public.plain_page import HEADERS, plain_page
from grapevine.web.rate_limits import limited
from grapevine.web.state import AppState, app_state

_NOT_FOUND: Final = """It was cut off or mistyped on its way, or it was never a link of this server.
Ask the person who sent it to you to send it again."""

_YOUNG_DAYS: Final = 1
"""No setting deletes visits of today or yesterday, so their shares are looked for once."""


async def follow_link(request: Request) -> Response:
    """The short link of a share: leads to the shared page with the token in its URL.

    It is the page that the share was reported with, else the site's home page. Punctuation or parameters after the
    token are ignored. A preview robot gets the same response, and is recorded as an unfurl.
    """
    state = app_state(request)
    text = leading_token(request.path_params["token"])
    owner = await state.sites.owner(text)
    if owner is None or owner[1].is_session:
        return plain_page(404, "This link leads nowhere", _NOT_FOUND)
    site, token = owner
    url = await target_url(state, site, token)
    location = tagged(url, text, site.row.param, site.row.place, site.row.joint(ids.day_at(state.clock())))
    response = RedirectResponse(location, 302, HEADERS)
    # Cached before anything else is awaited: a report that arrives meanwhile must find the entry to invalidate it.
    state.caches.redirects.put(text, response)
    state.followed_links.note(site.site_id, token)
    agent = read_agent(request.headers.get("user-agent", ""))
    if agent.preview:
        with suppress(Busy):  # a full queue must not stop the redirect
            await state.collect_api.unfurl(site, token, agent.preview)
    return response


async def target_url(state: AppState, site: Site, token: Token) -> str:
    """Returns the page that was shared, as the sharer's own browser reported it, else the site's home page.

    It is never the page that the sharer's visit began on, whose query may hold a secret: a recipient could look it up
    there, before any report and after one of their own. The origin is checked again, because the site's list of origins
    may have changed since.
    """
    home = f"{site.row.origins[0]}/"
    named = (site.site_id, token.visit_id, token.channel, token.n)
    url = await state.store.quick.shares.shared_url(*named)
    if url is None and ids.day_of(token.visit_id) < ids.day_at(state.clock()) - _YOUNG_DAYS:
        url = await state.store.quick.shares.kept_url(*named)
    if url is None or url == OTHER_PAGE:
        return home
    try:
        return url if origin_of(url) in site.origins else home
    except UrlError:
        return home


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/s/{token:rest}",
        handler=limited(follow_link),
        tag="links",
        scope=None,
        path_params=TokenPath,
        responses={
            302: ResponseSpec(text="The way to the page.", headers=("Location",)),
            404: ResponseSpec(str, "A page for people: no share has that token.", HTML),
        },
        problems=(RateLimited, Busy),
    )
]
