"""``/s/{token}/qr.svg``: the QR code of a short link."""

from __future__ import annotations

import io
import logging

import segno
from starlette.requests import Request
from starlette.responses import Response

from grapevine.config.logging import Seldom
from grapevine.errors import NotFound
from grapevine.web.public_address import public_address
from grapevine.web.state import app_state

log = logging.getLogger(__name__)
log.addFilter(Seldom())


async def qr_code(request: Request) -> Response:
    """``GET /s/{token}/qr.svg``. Returns an SVG picture, or 404 when no share has that token.

    Behind a proxy, 404 until the settings name the server's address: a printed code that leads nowhere is worse.
    """
    state = app_state(request)
    text = request.path_params["token"]
    owner = await state.sites.owner(text)
    if owner is None or owner[1].is_session:
        raise NotFound("No share has that token.")
    base = public_address(request, state.settings)
    if base is None:
        log.warning("no QR code: a proxy is in front, so GRAPEVINE_BASE_URL has to name the address that browsers use")
        raise NotFound("This server does not know its own address; its owner can set GRAPEVINE_BASE_URL.")
    out = io.BytesIO()
    segno.make(f"{base}/s/{text}", error="m").save(out, kind="svg", scale=8, border=2, xmldecl=False, svgns=True)
    # The widget loads it into pages whose policy may forbid pictures of other origins, so it fetches it as text.
    headers = {"Cache-Control": "public, max-age=86400", "Access-Control-Allow-Origin": "*"}
    return Response(out.getvalue(), headers=headers, media_type="image/svg+xml")
