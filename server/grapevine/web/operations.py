"""Every call of the API: ``/openapi.json`` describes them, and ``web/routes.py`` makes their routes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from grapevine.web import health
from grapevine.web.api import analytics, cascades, exports, keys, live, sites, tokens, visits, webhooks
from grapevine.web.api.operation import Operation
from grapevine.web.public import (
    about,
    collect_calls,
    conversions,
    counts,
    forget,
    problem_pages,
    qr,
    short_links,
    widget,
)
from grapevine.web.server_metrics import route as server_metrics

COLLECT: Final[list[Operation]] = [
    *collect_calls.OPERATIONS,
    *conversions.OPERATIONS,
    *forget.OPERATIONS,
    *counts.OPERATIONS,
    *widget.OPERATIONS,
]
"""What the pages of a site call, below ``GRAPEVINE_PREFIX``."""

LINKS: Final[list[Operation]] = [*qr.OPERATIONS, *short_links.OPERATIONS, *about.OPERATIONS]
"""What people open, at the root and below ``GRAPEVINE_PREFIX``."""

KEYED: Final[list[Operation]] = [
    *tokens.OPERATIONS,
    *visits.OPERATIONS,
    *analytics.OPERATIONS,
    *cascades.OPERATIONS,
    *exports.OPERATIONS,
    *sites.OPERATIONS,
    *keys.OPERATIONS,
    *webhooks.OPERATIONS,
]
"""What needs an API key."""

LIVE: Final[list[Operation]] = live.OPERATIONS
"""The live feed, a stream that does not end by itself; it needs an API key, too."""

SERVER: Final[list[Operation]] = [*health.OPERATIONS, *server_metrics.OPERATIONS, *problem_pages.OPERATIONS]
"""What tells of the server itself."""


def placed(prefix: str = "") -> list[Operation]:
    """Returns every call where it is on a server whose pages call it below ``prefix``."""
    collect = [replace(each, path=prefix + each.path) for each in COLLECT]
    return [*collect, *LINKS, *KEYED, *LIVE, *([conversions.WITH_KEY] if prefix else ()), *SERVER]
