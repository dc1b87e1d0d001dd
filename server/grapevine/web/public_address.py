"""The address under which browsers reach this server. The ``Host`` of a request never decides it (decision 34)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from grapevine.config.settings import Settings

_PROXY: Final = ("forwarded", "x-forwarded-host", "x-forwarded-proto")
"""Headers by which a reverse proxy in front gives itself away. ``X-Forwarded-For`` is not among them: proxies on the
visitor's side send it as well."""


def public_address(request: Request, settings: Settings) -> str | None:
    """Returns ``GRAPEVINE_BASE_URL``, else the address of the socket that took the request.

    Returns None where neither can be right: the setting is missing, and a proxy stands in front.
    """
    if settings.base_url is not None:
        return settings.base_url
    if any(name in request.headers for name in _PROXY):
        return None
    return bound_address(request)


def bound_address(request: Request) -> str:
    """Returns the URL of the socket that took the request."""
    host, port = request.scope.get("server") or ("localhost", None)
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}" if port in (None, 80) else f"http://{shown}:{port}"
