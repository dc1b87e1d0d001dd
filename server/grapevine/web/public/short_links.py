"""``/s/{token}``: the short link of a share, or of a minted link. Preview robots that fetch it show where the link was
pasted."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.api_schemas.public import FollowQuery
from grapevine.api_schemas.tokens import TokenPath
from grapevine.collect.user_agents import read_agent
from grapevine.domain.token_urls import leading_token
from grapevine.errors import Busy, RateLimited
from grapevine.web.api.operation import HTML, Operation, ResponseSpec
from grapevine.web.public.following import follow_minted, found_link, note_preview, redirect
from grapevine.web.public.plain_page import plain_page
from grapevine.web.rate_limits import limited
from grapevine.web.state import app_state

_NOT_FOUND: Final = """It was cut off or mistyped on its way, or it was never a link of this server.
Ask the person who sent it to you to send it again."""


async def follow_link(request: Request) -> Response:
    """The short link of a share or of a minted link: leads to its page with the token in its URL.

    Of a share it is the page that the share was reported with, of a minted link the one that it was made for; else the
    site's home page. Punctuation or parameters after the token are ignored. A preview robot gets the same response, and
    is recorded as an unfurl. Of a minted link, each GET by a person is counted as a click, or as a scan where the token
    is that of its QR code: not those of robots, of browsers that prefetch, and of people who ask not to be followed.
    """
    state = app_state(request)
    text = leading_token(request.path_params["token"])
    owner = await state.sites.owner(text)
    if owner is None or owner[1].is_session:
        return plain_page(404, "This link leads nowhere", _NOT_FOUND)
    site, token = owner
    found = await found_link(state, site, token)
    if found.places is not None:
        return await follow_minted(request, state, site, token, found)
    response = redirect(state, site, text, found)
    # Cached before anything else is awaited: a report that arrives meanwhile must find the entry to invalidate it.
    state.caches.redirects.put(text, response)
    state.followed_links.note(site.site_id, token)
    preview = read_agent(request.headers.get("user-agent", "")).preview
    if preview:
        await note_preview(state, site, token, preview)
    return response


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/s/{token:rest}",
        handler=limited(follow_link),
        tag="links",
        scope=None,
        path_params=TokenPath,
        query=FollowQuery,
        responses={
            302: ResponseSpec(text="The way to the page.", headers=("Location",)),
            404: ResponseSpec(str, "A page for people: no share has that token.", HTML),
            410: ResponseSpec(str, "A page for people: the link was made to end before now.", HTML),
        },
        problems=(RateLimited, Busy),
    )
]
