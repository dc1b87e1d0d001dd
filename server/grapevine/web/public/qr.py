"""``/s/{token}/qr.svg``: the QR code of a short link, or of a page's own URL."""

from __future__ import annotations

import io
import logging
from typing import Final

import segno
from starlette.requests import Request
from starlette.responses import Response

from grapevine.api_schemas.tokens import TokenPath
from grapevine.config.logging import Seldom
from grapevine.config.public_url import public_url
from grapevine.domain.token_urls import leading_token
from grapevine.domain.urls import UrlError, origin_of
from grapevine.errors import Busy, Invalid, NotFound, RateLimited, TooLarge
from grapevine.sites.cache import Site
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec
from grapevine.web.public_address import public_address
from grapevine.web.rate_limits import limited
from grapevine.web.request_body import read_body
from grapevine.web.state import AppState, app_state

log = logging.getLogger(__name__)
log.addFilter(Seldom())

SVG: Final = "image/svg+xml"
MOST_BYTES: Final = 400
"""A longer URL makes a code that few telephones read, and that takes a tenth of a second to draw."""

# The widget loads it into pages whose policy may forbid pictures of other origins, so it fetches it as text.
_ANYWHERE: Final = {"Access-Control-Allow-Origin": "*"}
_OF_SHORT_LINK: Final = _ANYWHERE | {"Cache-Control": "public, max-age=86400"}
_OF_PAGE: Final = _ANYWHERE | {"Cache-Control": "no-store"}


async def draw_short_link(request: Request) -> Response:
    """The short link as a QR code.

    Behind a proxy it is refused with 404 until the settings name the server's address: a printed code that leads
    nowhere is worse.
    """
    state = app_state(request)
    text = leading_token(request.path_params["token"])
    await _site(state, text)
    base = public_address(request, state.settings)
    if base is None:
        log.warning("no QR code: a proxy is in front, so GRAPEVINE_BASE_URL has to name the address that browsers use")
        raise NotFound("This server does not know its own address; its owner can set GRAPEVINE_BASE_URL.")
    return _drawn(public_url(base, state.settings.prefix, f"/s/{text}"), _OF_SHORT_LINK)


async def draw_page_url(request: Request) -> Response:
    """The URL of a page of the site as a QR code.

    For a page whose URL is not stored as it is. The URL comes in the body, so
    that no log on the way has it, and is forgotten with the response.
    """
    site = await _site(app_state(request), leading_token(request.path_params["token"]))
    return _drawn(await _page_url(request, site.origins), _OF_PAGE)


async def _site(state: AppState, text: str) -> Site:
    """Returns the site of the share with this token. Raises NotFound."""
    owner = await state.sites.owner(text)
    if owner is None or owner[1].is_session:
        raise NotFound("No share has that token.")
    return owner[0]


async def _page_url(request: Request, origins: frozenset[str]) -> str:
    url = (await read_body(request, MOST_BYTES)).decode(errors="replace")
    try:
        if origin_of(url) in origins:
            return url
    except UrlError as error:
        raise Invalid.of("url", str(error)) from None
    raise Invalid.of("url", "is not on an origin of this site")


def _drawn(url: str, headers: dict[str, str]) -> Response:
    out = io.BytesIO()
    segno.make(url, error="m").save(out, kind="svg", scale=8, border=2, xmldecl=False, svgns=True)
    return Response(out.getvalue(), headers=headers, media_type=SVG)


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/s/{token:rest}/qr.svg",
        handler=limited(draw_short_link),
        tag="links",
        scope=None,
        is_cors=True,
        path_params=TokenPath,
        responses={200: ResponseSpec(str, "The picture.", (SVG,))},
        problems=(NotFound, RateLimited, Busy),
    ),
    Operation(
        method="POST",
        path="/s/{token:rest}/qr.svg",
        handler=limited(draw_page_url),
        tag="links",
        scope=None,
        is_cors=True,
        path_params=TokenPath,
        body=RequestBody(str, MOST_BYTES, ("text/plain",)),
        responses={200: ResponseSpec(str, "The picture.", (SVG,))},
        problems=(NotFound, TooLarge, Invalid, RateLimited, Busy),
    ),
]
