"""``/s/{token}``: a short address for a share, whose preview shows where it was pasted."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Final

import segno
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from grapevine.collect.user_agents import read_agent
from grapevine.domain.tokens import Token
from grapevine.domain.urls import OTHER_PAGE, UrlError, origin_of, tagged
from grapevine.errors import Busy, NotFound
from grapevine.sites.cache import Site
from grapevine.web.state import AppState, app_state

_NO_STORE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
_GONE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>This link leads nowhere</title>
<style>
  :root { color-scheme: light dark; font: 1.125rem/1.6 system-ui, sans-serif }
  body { display: grid; min-height: 90vh; margin: 0; padding: 1.5rem; place-content: center }
  main { max-width: 34rem }
  h1 { margin: 0 0 .75rem; font-size: 1.75rem; line-height: 1.2 }
  p { margin: 0; opacity: .8 }
</style>
<main>
<h1>This link leads nowhere</h1>
<p>It was cut off or mistyped on its way, or it never was a link of this server.
Ask whoever sent it to you to send it again.</p>
</main>
</html>
"""


async def follow(request: Request) -> Response:
    """Sends the reader to the shared page with the token in its address; records a preview robot as an unfurl."""
    state = app_state(request)
    text = request.path_params["token"]
    owner = await state.sites.owner(text)
    if owner is None or owner[1].is_session:
        return HTMLResponse(_GONE, 404, _NO_STORE)
    site, token = owner
    url = await target(state, site, token)
    # Kept before anything is waited for: a report that comes meanwhile must find it, to have it forgotten.
    response = RedirectResponse(tagged(url, text, site.row.param, site.row.place), 302, _NO_STORE)
    state.caches.redirects.put(text, response)
    agent = read_agent(request.headers.get("user-agent", ""))
    if agent.preview:
        with suppress(Busy):  # a full queue keeps nobody from the page
            await state.collect_api.unfurl(site, token, agent.preview)
    return response


async def qr_code(request: Request) -> Response:
    """A QR code of the short address, as SVG."""
    state = app_state(request)
    text = request.path_params["token"]
    owner = await state.sites.owner(text)
    if owner is None or owner[1].is_session:
        raise NotFound("No share has that token.")
    base = state.settings.base_url or str(request.base_url).rstrip("/")
    out = io.BytesIO()
    segno.make(f"{base}/s/{text}", error="m").save(out, kind="svg", scale=8, border=2, xmldecl=False, svgns=True)
    # The widget reads it from a page whose policy may forbid pictures from elsewhere.
    headers = {"Cache-Control": "public, max-age=86400", "Access-Control-Allow-Origin": "*"}
    return Response(out.getvalue(), headers=headers, media_type="image/svg+xml")


async def target(state: AppState, site: Site, token: Token) -> str:
    """The page that was shared; the visit's first page if no report named it; the site's home if both are gone.

    The origin is checked again, since a site may have given one up since.
    """
    home = f"{site.row.origins[0]}/"
    url = await state.store.quick.shared_url(site.site_id, token.visit_id, token.channel, token.n)
    if url is None or url == OTHER_PAGE:
        return home
    try:
        return url if origin_of(url) in site.origins else home
    except UrlError:
        return home
