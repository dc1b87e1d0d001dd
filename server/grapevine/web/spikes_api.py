"""``GET /v1/spikes``: the pages whose returns rose far above their own rate."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.errors import Invalid
from grapevine.spikes.statistic import CALM_MS
from grapevine.times import rfc3339
from grapevine.web.auth import authorized
from grapevine.web.parameters import PERIOD, Parameters
from grapevine.web.services import services

MOST: Final = 1_000


class Shown(msgspec.Struct, frozen=True):
    """A spike: raised ``at``, last seen at ``last_at``, ``over`` once a day has passed without it. ``returns`` and
    ``expected`` are of the 60 minutes before it was raised, ``peak`` of the 60 minutes with the most returns."""

    page: str
    at: str
    last_at: str
    over: bool
    returns: int
    expected: float
    peak: int


async def spikes(request: Request) -> Response:
    """Those that were raised in a period, the newest first."""
    site = await authorized(request)
    given = Parameters(request, "limit", *PERIOD)
    running = services(request)
    now, limit = running.clock(), given.number("limit", 100)
    if not 1 <= limit <= MOST:
        raise Invalid.of("limit", f"must be 1 to {MOST}")
    period = given.period(now)
    store = running.store
    rows = await store.spikes.raised(site.site_id, period.start, period.end, limit)
    urls = await store.reads.urls(site.site_id, [row.page_id for row in rows])
    found = [
        Shown(
            urls.get(row.page_id, ""), rfc3339(row.started_at), rfc3339(row.last_at), now - row.last_at >= CALM_MS,
            row.returns, round(row.expected, 2), row.peak,
        )
        for row in rows
    ]  # fmt: skip
    return Response(
        msgspec.json.encode({"spikes": found}), headers={"Cache-Control": "no-store"}, media_type="application/json"
    )
