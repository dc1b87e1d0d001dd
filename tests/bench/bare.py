"""The reference: an ASGI application on plain uvicorn that returns 204 to every request."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn


async def app(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """Returns 204."""
    if scope["type"] == "lifespan":
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        return
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="auto")
