"""Every URL on one page."""

from __future__ import annotations

from starlette.routing import BaseRoute, Mount, Route

from grapevine.web import collect, health, short, widget


def routes(prefix: str) -> list[BaseRoute]:
    """All routes; those that a page calls stand below ``prefix`` (a path without a trailing slash, or nothing)."""
    public: list[BaseRoute] = [
        Route("/v1/visits", collect.visits, methods=["POST", "OPTIONS"]),
        Route("/v1/views", collect.views, methods=["POST", "OPTIONS"]),
        Route("/v1/shares", collect.shares, methods=["POST", "OPTIONS"]),
        Route("/widget{rest}", widget.widget_file),
        Route("/icons{rest}", widget.widget_file),
    ]
    links: list[BaseRoute] = [
        Route("/s/{token}", short.follow),
        Route("/s/{token}/qr.svg", short.qr_code),
    ]
    own: list[BaseRoute] = [
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
    ]
    below = [Mount(prefix, routes=public)] if prefix else public
    return [*below, *links, *own]
