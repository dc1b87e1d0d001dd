"""The JSON response of every call with an API key."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from starlette.responses import Response

JSON: Final = "application/json"
NO_STORE: Final = {"Cache-Control": "no-store"}
"""No cache on the way may keep a response: it is for the sender of the key alone."""


def json_response(body: Any, status: int = 200, *, dropped: str | None = None) -> Response:
    """Returns ``body`` as JSON that no cache keeps; ``dropped`` names the reason why nothing was stored."""
    headers = NO_STORE if dropped is None else NO_STORE | {"Grapevine-Dropped": dropped}
    return Response(msgspec.json.encode(body), status, headers, JSON)
