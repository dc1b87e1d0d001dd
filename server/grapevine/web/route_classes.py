"""The class of each route, under which its requests are counted and timed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from starlette.routing import BaseRoute, Mount, Route

OTHER: Final = "other"
"""The class of requests for which there is no route."""

_BY_PATH: Final = (
    ("/v1/visits/", "api"),
    *((f"/v1/{call}", call) for call in ("visits", "views", "shares", "conversions", "answers", "forget", "counts")),
    ("/s/{token:rest}/qr.", "qr"),
    ("/s/", "short-link"),
    ("/go/{word:rest}/qr.", "qr"),
    ("/go/", "short-link"),
    ("/about/", "about"),
    ("/webmention", "webmention"),
    ("/widget", "widget"),
    ("/v1/export/", "export"),
    ("/v1/live", "live"),
    ("/v1/", "api"),
    ("/openapi.json", "docs"),
    ("/docs", "docs"),
    ("/healthz", "health"),
    ("/readyz", "health"),
    ("/metrics", "metrics"),
)
"""How the paths of each class begin, the first that fits. All others are pages for people."""


def route_classes(routes: Iterable[BaseRoute]) -> Mapping[int, str]:
    """Returns the class of each route by the ``id`` of its endpoint.

    Not every endpoint that Starlette names is hashable: below a prefix, that of a path that is not there is a router.
    """
    classes: dict[int, str] = {}
    for route in routes:
        if isinstance(route, Mount):
            classes |= route_classes(route.routes)
        elif isinstance(route, Route):
            classes[id(route.endpoint)] = _class_of(route.path)
    return classes


def _class_of(path: str) -> str:
    return next((found for start, found in _BY_PATH if path.startswith(start)), "dashboard")
