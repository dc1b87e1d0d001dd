"""``/v1/webhooks``: where a site's events are sent to. Needs a key of scope ``admin``."""

from __future__ import annotations

import secrets
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.domain.json_input import decode
from grapevine.web.api.auth import authorized
from grapevine.web.api.query_params import Parameters
from grapevine.web.request_body import read_body
from grapevine.web.state import app_state
from grapevine.webhooks import endpoints
from grapevine.webhooks.egress_policy import EgressPolicy

MAX_BODY: Final = 8_192


async def webhooks(request: Request) -> Response:
    """``GET /v1/webhooks`` and ``POST /v1/webhooks``."""
    site = await authorized(request, "admin")
    Parameters(request)
    state = app_state(request)
    if request.method == "POST":
        asked = decode(await read_body(request, MAX_BODY), endpoints.NewEndpoint)
        added = await endpoints.add(
            state.store.hooks, _egress(request), site.site_id, asked, state.clock(), secrets.token_bytes
        )
        return _json(added, 201)
    return _json({"webhooks": await endpoints.list_endpoints(state.store.hooks, site.site_id)})


async def webhook(request: Request) -> Response:
    """``GET``, ``PATCH`` and ``DELETE /v1/webhooks/{id}``."""
    site = await authorized(request, "admin")
    Parameters(request)
    state, webhook_id = app_state(request), request.path_params["id"]
    hooks = state.store.hooks
    if request.method == "DELETE":
        await endpoints.remove(hooks, site.site_id, webhook_id)
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    if request.method == "PATCH":
        asked = decode(await read_body(request, MAX_BODY), endpoints.EndpointChanges)
        return _json(
            await endpoints.change(hooks, _egress(request), site.site_id, webhook_id, asked, state.clock())
        )  # fmt: skip
    return _json(await endpoints.get(hooks, site.site_id, webhook_id))


async def deliveries(request: Request) -> Response:
    """``GET /v1/webhooks/{id}/deliveries``."""
    site = await authorized(request, "admin")
    given = Parameters(request, "limit")
    found = await endpoints.deliveries(
        app_state(request).store.hooks, site.site_id, request.path_params["id"], given.number("limit", 20)
    )
    return _json({"deliveries": found})


async def retry(request: Request) -> Response:
    """``POST /v1/webhooks/{id}/deliveries/{delivery}/retry``."""
    site = await authorized(request, "admin")
    Parameters(request)
    state = app_state(request)
    names = request.path_params
    await endpoints.retry(state.store.hooks, site.site_id, names["id"], names["delivery"], state.clock())
    return _json({}, 202)


def _egress(request: Request) -> EgressPolicy:
    return EgressPolicy(app_state(request).settings.webhook_networks)


def _json(answer: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status, {"Cache-Control": "no-store"}, "application/json")
