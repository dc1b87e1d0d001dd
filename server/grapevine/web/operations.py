"""Every call of the API: ``/openapi.json`` describes them, and ``web/routes.py`` makes their routes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from grapevine.web import health
from grapevine.web.api import (
    analytics,
    answers,
    cascades,
    exports,
    feeds,
    keys,
    link_deletion,
    link_rewrites,
    link_summary,
    links,
    live,
    mentions,
    payouts,
    receipts,
    sites,
    tokens,
    unfurls,
    visits,
    webhooks,
)
from grapevine.web.api.operation import Operation
from grapevine.web.public import (
    about,
    collect_calls,
    conversions,
    counts,
    forget,
    go,
    problem_pages,
    qr,
    short_links,
    webmention,
    widget,
)
from grapevine.web.public import answers as answer_reports
from grapevine.web.public import receipts as receipt_states
from grapevine.web.server_metrics import route as server_metrics

COLLECT: Final[list[Operation]] = [
    *collect_calls.OPERATIONS,
    *conversions.OPERATIONS,
    *answer_reports.OPERATIONS,
    *forget.OPERATIONS,
    *counts.OPERATIONS,
    *widget.OPERATIONS,
]
"""What the pages of a site call, below ``GRAPEVINE_PREFIX``."""

LINKS: Final[list[Operation]] = [
    *qr.OPERATIONS,
    *short_links.OPERATIONS,
    *go.OPERATIONS,
    *about.OPERATIONS,
]
"""What people open, at the root and below ``GRAPEVINE_PREFIX``."""

KEYED: Final[list[Operation]] = [
    *tokens.OPERATIONS,
    *visits.OPERATIONS,
    *unfurls.OPERATIONS,
    *analytics.OPERATIONS,
    *answers.OPERATIONS,
    *cascades.OPERATIONS,
    *exports.OPERATIONS,
    *payouts.OPERATIONS,
    *receipts.OPERATIONS,
    *sites.OPERATIONS,
    *keys.OPERATIONS,
    *link_summary.OPERATIONS,
    *link_rewrites.OPERATIONS,
    *links.OPERATIONS,
    *link_deletion.OPERATIONS,
    *feeds.OPERATIONS,
    *webhooks.OPERATIONS,
    *mentions.OPERATIONS,
]
"""What needs an API key."""

RECEIPTS: Final[list[Operation]] = receipt_states.OPERATIONS
"""What those who hold a receipt ask, without a key."""

REPORTS: Final[list[Operation]] = webmention.OPERATIONS
"""What other servers call, at the root."""

LIVE: Final[list[Operation]] = live.OPERATIONS
"""The live feed, a stream that does not end by itself; it needs an API key, too."""

SERVER: Final[list[Operation]] = [*health.OPERATIONS, *server_metrics.OPERATIONS, *problem_pages.OPERATIONS]
"""What tells of the server itself."""


def placed(prefix: str = "") -> list[Operation]:
    """Returns every call where it is on a server whose pages call it below ``prefix``."""
    collect = [replace(each, path=prefix + each.path) for each in COLLECT]
    with_key = [conversions.WITH_KEY, answer_reports.WITH_KEY] if prefix else []
    return [*collect, *LINKS, *KEYED, *RECEIPTS, *REPORTS, *LIVE, *with_key, *SERVER]
