"""``/s/{token}/qr.svg``: the QR code of a short link."""

from __future__ import annotations

import io

import segno
from starlette.requests import Request
from starlette.responses import Response

from grapevine.errors import NotFound
from grapevine.web.state import app_state


async def qr_code(request: Request) -> Response:
    """``GET /s/{token}/qr.svg``. Returns an SVG picture, or 404 when no share has that token."""
    state = app_state(request)
    text = request.path_params["token"]
    owner = await state.sites.owner(text)
    if owner is None or owner[1].is_session:
        raise NotFound("No share has that token.")
    base = state.settings.base_url or str(request.base_url).rstrip("/")
    out = io.BytesIO()
    segno.make(f"{base}/s/{text}", error="m").save(out, kind="svg", scale=8, border=2, xmldecl=False, svgns=True)
    # The widget loads it into pages whose policy may forbid pictures of other origins, so it fetches it as text.
    headers = {"Cache-Control": "public, max-age=86400", "Access-Control-Allow-Origin": "*"}
    return Response(out.getvalue(), headers=headers, media_type="image/svg+xml")
