"""``/v1/webhooks``: the endpoints that receive a site's events. Scope ``admin``."""

from __future__ import annotations

import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine.domain.json_input import decode
from grapevine.egress.policy import EgressPolicy
from grapevine.web.api.auth import authorized
from grapevine.web.api.query_params import QueryParams
from grapevine.web.request_body import read_body
from grapevine.web.responses import NO_STORE, json_response
from grapevine.web.state import app_state
from grapevine.webhooks import endpoints

MAX_BODY: Final = 8_192


async def webhooks(request: Request) -> Response:
    """``GET /v1/webhooks`` returns all endpoints; ``POST /v1/webhooks`` adds one and returns it with its secret."""
    site = await authorized(request, "admin")
    QueryParams(request)
    state = app_state(request)
    hooks = state.store.webhooks
    if request.method == "POST":
        wanted = decode(await read_body(request, MAX_BODY), endpoints.NewEndpoint)
        added = await endpoints.add(
            hooks, _egress_policy(request), state.keyring, site.site_id, wanted, state.clock(), secrets.token_bytes
        )
        return json_response(added, 201)
    return json_response({"webhooks": await endpoints.list_endpoints(hooks, site.site_id)})


async def webhook(request: Request) -> Response:
    """``GET``, ``PATCH`` and ``DELETE /v1/webhooks/{id}``. Returns the endpoint, after ``DELETE`` nothing."""
    site = await authorized(request, "admin")
    QueryParams(request)
    state, webhook_id = app_state(request), request.path_params["id"]
    hooks = state.store.webhooks
    if request.method == "DELETE":
        await endpoints.remove(hooks, site.site_id, webhook_id)
        return Response(status_code=204, headers=NO_STORE)
    if request.method == "PATCH":
        changes = decode(await read_body(request, MAX_BODY), endpoints.EndpointChanges)
        changed = await endpoints.change(
            hooks, _egress_policy(request), site.site_id, webhook_id, changes, state.clock()
        )
        return json_response(changed)
    return json_response(await endpoints.get(hooks, site.site_id, webhook_id))


async def deliveries(request: Request) -> Response:
    """``GET /v1/webhooks/{id}/deliveries``. Returns the last deliveries, the newest first."""
    site = await authorized(request, "admin")
    params = QueryParams(request, "limit")
    found = await endpoints.deliveries(
        app_state(request).store.webhooks, site.site_id, request.path_params["id"], params.number("limit", 20)
    )
    return json_response({"deliveries": found})


async def retry(request: Request) -> Response:
    """``POST /v1/webhooks/{id}/deliveries/{delivery}/retry``. Makes the delivery due again; returns 202."""
    site = await authorized(request, "admin")
    QueryParams(request)
    state = app_state(request)
    ids = request.path_params
    await endpoints.retry(state.store.webhooks, site.site_id, ids["id"], ids["delivery"], state.clock())
    return json_response({}, 202)


def _egress_policy(request: Request) -> EgressPolicy:
    return EgressPolicy(app_state(request).settings.webhook_networks)
