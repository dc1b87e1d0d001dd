"""``GET /metrics``: who may read it, and the answer."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

from prometheus_client.exposition import choose_encoder
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grapevine.collect.rate_limit import refuse_excess
from grapevine.config.settings import database_path
from grapevine.errors import Forbidden, NotFound, RateLimited, StoreError, Unauthorized
from grapevine.web.api.auth import read_key
from grapevine.web.api.operation import Operation, ResponseSpec
from grapevine.web.rate_limits import client_address
from grapevine.web.responses import NO_STORE
from grapevine.web.server_metrics.collector import Moment, registry_of
from grapevine.web.server_metrics.figures import Figures
from grapevine.web.state import AppState, app_state

_READY_SECONDS: Final = 2.0
"""A store that does not say within this time whether it takes writes counts as one that does not."""

MOST_WAITING: Final = 10_000
"""So many waiting deliveries are counted: on SQLite this is done on the thread of the event loop, in a millisecond."""

_FORWARDED: Final = frozenset(
    {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "cf-connecting-ip"}
)
"""Headers that a proxy adds. With one of them, a request from this machine may be anybody's."""


async def metrics(request: Request) -> Response:
    """What the server counts about itself, for Prometheus.

    It comes in Prometheus's text format, or in OpenMetrics where ``Accept`` asks for it. The setting
    ``GRAPEVINE_METRICS`` says who may read it: by default programs with an API key that reaches every site
    of the server.
    """
    state = app_state(request)
    await _refuse_others(request, state)
    ready, hooks = await state.readiness.check_within(_READY_SECONDS), await _hooks(state)
    figures = Figures(state)
    moment = Moment(
        totals=figures.totals(),
        workers=figures.workers(),
        ready=ready,
        store="sqlite" if database_path(state.settings) else "postgresql",
        waiting=hooks and hooks[0],
        paused=hooks and hooks[1],
        free_bytes=_free_bytes(state),
    )
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry_of(moment)), headers=NO_STORE, media_type=media_type)


async def _refuse_others(request: Request, state: AppState) -> None:
    """Raises what the setting says of this reader: a Problem, or HTTPException where there is no such path."""
    readers = state.settings.metrics
    if readers == "off":
        raise HTTPException(404)
    if readers == "open":
        refuse_excess(state.rate_limit.page_call(client_address(request), state.clock()))
    elif readers == "local":
        if not _is_local(request):
            raise Forbidden(
                "GRAPEVINE_METRICS is `local`: these figures are for programs on this server's own machine, which "
                "ask it directly."
            )
    else:
        await _refuse_narrow_key(request, state)


async def _refuse_narrow_key(request: Request, state: AppState) -> None:
    """Raises Unauthorized without an API key, Forbidden for one that does not reach every site: the figures are those
    of all sites together, and would tell the owner of one about the others."""
    try:
        key = await read_key(request, state)
    except Unauthorized as problem:
        raise Unauthorized(f"{problem.detail} The setting GRAPEVINE_METRICS says who may read these figures.") from None
    if not all(key.reaches(site.site_id) for site in await state.sites.all()):
        raise Forbidden(
            "These figures are of all sites of this server together, and this API key does not reach all of them. Make "
            "one that does: grapevine key add --every-site --scope read"
        )


def _is_local(request: Request) -> bool:
    if not _FORWARDED.isdisjoint(request.headers.keys()):
        return False
    with suppress(ValueError):
        return ip_address(client_address(request)).is_loopback
    return False


async def _hooks(state: AppState) -> tuple[int, int] | None:
    """Returns the numbers of deliveries that wait and of endpoints that are paused."""
    try:
        async with asyncio.timeout(_READY_SECONDS):
            hooks = state.store.webhooks
            return await hooks.waiting(MOST_WAITING), len(await hooks.paused())
    except (StoreError, TimeoutError):
        return None


def _free_bytes(state: AppState) -> int | None:
    path = database_path(state.settings)
    if path is None:
        return None
    with suppress(OSError):
        return shutil.disk_usage(path.parent).free
    return None


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/metrics",
        handler=metrics,
        tag="health",
        scope=None,
        optional_scope="read",
        of_site=False,
        responses={
            200: ResponseSpec(str, "All metrics.", ("text/plain", "application/openmetrics-text")),
        },
        problems=(Unauthorized, Forbidden, NotFound, RateLimited),
        request_headers=("Accept",),
    )
]
