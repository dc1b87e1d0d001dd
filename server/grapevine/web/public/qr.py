"""``/s/{token}/qr.svg`` and ``qr.png``: the QR code of a short link, or of a page's own URL."""

from __future__ import annotations

import io
import logging
from typing import Final

import segno
from starlette.requests import Request
from starlette.responses import Response

from grapevine.api_schemas.public import PictureQuery, PixelsQuery
from grapevine.api_schemas.tokens import TokenPath
from grapevine.config.logging import Seldom
from grapevine.config.public_url import public_url
from grapevine.domain.token_urls import leading_token
from grapevine.domain.tokens import Token
from grapevine.domain.urls import UrlError, origin_of
from grapevine.errors import Busy, Invalid, NotFound, RateLimited, TooLarge
from grapevine.sites.cache import Site
from grapevine.store.readers.shares import FollowedLink
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec
from grapevine.web.api.query import read_known
from grapevine.web.public.following import at_place, found_link
from grapevine.web.public_address import public_address
from grapevine.web.rate_limits import limited
from grapevine.web.request_body import read_body
from grapevine.web.state import AppState, app_state

log = logging.getLogger(__name__)
log.addFilter(Seldom())

SVG: Final = "image/svg+xml"
PNG: Final = "image/png"
_BORDER: Final = 4
"""Of pictures in pixels, in squares of the code: as much white as ISO/IEC 18004 wants around it, for print."""
MOST_BYTES: Final = 400
"""A longer URL makes a code that few telephones read, and that takes a tenth of a second to draw."""

# The widget loads it into pages whose policy may forbid pictures of other origins, so it fetches it as text.
_ANYWHERE: Final = {"Access-Control-Allow-Origin": "*"}
_OF_SHORT_LINK: Final = _ANYWHERE | {"Cache-Control": "public, max-age=86400"}
_OF_PAGE: Final = _ANYWHERE | {"Cache-Control": "no-store"}


async def draw_short_link(request: Request) -> Response:
    """The short link as a QR code.

    Behind a proxy it is refused with 404 until the settings name the server's address: a printed code that leads
    nowhere is worse. A place that the minted link does not have is refused, too.
    """
    return draw_svg(request, await _scanned(request), _OF_SHORT_LINK)


async def draw_short_link_in_pixels(request: Request) -> Response:
    """The short link as a QR code in pixels."""
    return draw_png(request, await _scanned(request), pixels(request), _OF_SHORT_LINK)


async def draw_page_url(request: Request) -> Response:
    """The URL of a page of the site as a QR code.

    For a page whose URL is not stored as it is. The URL comes in the body, so
    that no log on the way has it, and is forgotten with the response.
    """
    site, _ = await _owner(app_state(request), leading_token(request.path_params["token"]))
    return _svg(await _page_url(request, site.origins), _OF_PAGE)


def draw_svg(request: Request, token: str, headers: dict[str, str]) -> Response:
    """Returns the picture of a token's short link. Raises NotFound where this server does not know its own address."""
    return _svg(_short_link(request, token), headers)


def draw_png(request: Request, token: str, size: int, headers: dict[str, str]) -> Response:
    """As ``draw_svg``, in pixels: at most ``size`` wide and high."""
    code = _code(_short_link(request, token))
    out = io.BytesIO()
    width, _ = code.symbol_size(scale=1, border=_BORDER)
    code.save(out, kind="png", scale=max(1, size // width), border=_BORDER)
    return Response(out.getvalue(), headers=headers, media_type=PNG)


def pixels(request: Request) -> int:
    """Returns how large a picture may be, in pixels. Raises Invalid."""
    return read_known(request.query_params, PixelsQuery).size


def at_known_place(request: Request, token: Token, found: FollowedLink) -> Token:
    """Returns the token of the place of a minted link that ``?at=`` names, else the link's own.

    Raises Invalid for a place that it does not have: a code that is printed must not lose its place unseen.
    """
    if "at" not in request.query_params or found.places is None:
        return token
    at = at_place(request, token, found)
    if at == token:
        raise Invalid.of("at", "is no place of this link")
    return at


async def _scanned(request: Request) -> str:
    """Returns the token that the code of a short link carries. Raises NotFound and Invalid."""
    state = app_state(request)
    text = leading_token(request.path_params["token"])
    site, token = await _owner(state, text)
    if "at" not in request.query_params:
        return text
    at = at_known_place(request, token, await found_link(state, site, token))
    return text if at == token else site.tokens.mint_one(*at)


async def _owner(state: AppState, text: str) -> tuple[Site, Token]:
    """Returns the site of the share with this token. Raises NotFound."""
    owner = await state.sites.owner(text)
    if owner is None or owner[1].is_session:
        raise NotFound("No share has that token.")
    return owner


def _short_link(request: Request, token: str) -> str:
    state = app_state(request)
    base = public_address(request, state.settings)
    if base is None:
        log.warning("no QR code: a proxy is in front, so GRAPEVINE_BASE_URL has to name the address that browsers use")
        raise NotFound("This server does not know its own address; its owner can set GRAPEVINE_BASE_URL.")
    return public_url(base, state.settings.prefix, f"/s/{token}")


async def _page_url(request: Request, origins: frozenset[str]) -> str:
    url = (await read_body(request, MOST_BYTES)).decode(errors="replace")
    try:
        if origin_of(url) in origins:
            return url
    except UrlError as error:
        raise Invalid.of("url", str(error)) from None
    raise Invalid.of("url", "is not on an origin of this site")


def _code(url: str) -> segno.QRCode:
    return segno.make_qr(url, error="m")


def _svg(url: str, headers: dict[str, str]) -> Response:
    out = io.BytesIO()
    _code(url).save(out, kind="svg", scale=8, border=2, xmldecl=False, svgns=True)
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
        query=PictureQuery,
        responses={200: ResponseSpec(str, "The picture.", (SVG,))},
        problems=(NotFound, Invalid, RateLimited, Busy),
    ),
    Operation(
        method="GET",
        path="/s/{token:rest}/qr.png",
        handler=limited(draw_short_link_in_pixels),
        tag="links",
        scope=None,
        is_cors=True,
        path_params=TokenPath,
        query=PixelsQuery,
        responses={200: ResponseSpec(bytes, "The picture.", (PNG,))},
        problems=(NotFound, Invalid, RateLimited, Busy),
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
