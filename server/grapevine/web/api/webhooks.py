"""``/v1/webhooks``: the endpoints that receive a site's events. Scope ``admin``."""

from __future__ import annotations

import secrets
from typing import Annotated, Final

import msgspec
from starlette.responses import Response

from grapevine.api_schemas.lists import DeliveryList, EndpointList
from grapevine.collect.schemas import EMPTY, Empty
from grapevine.domain.periods import read_time
from grapevine.egress.policy import EgressPolicy
from grapevine.errors import Conflict, Invalid, NotFound
from grapevine.web.api.call import SiteCall
from grapevine.web.api.once import HEADER, Keep, answered_once
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec
from grapevine.webhooks import endpoints
from grapevine.webhooks.endpoints import (
    MOST_DELIVERIES,
    AddedEndpoint,
    Endpoint,
    EndpointChanges,
    NewEndpoint,
    ResendRequest,
    Resent,
)

MAX_BODY: Final = 8_192


class WebhookPath(msgspec.Struct, frozen=True):
    """The path of one endpoint."""

    id: Annotated[str, msgspec.Meta(examples=["wh_2fQk7Rz0XaVn"])]
    """The endpoint's id."""


class DeliveryPath(WebhookPath, frozen=True):
    """The path of one delivery."""

    delivery: Annotated[str, msgspec.Meta(examples=["msg_5cGh1LpQ8TtW"])]
    """The delivery's id."""


class DeliveriesQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/webhooks/{id}/deliveries``."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_DELIVERIES)] = 20
    """How many deliveries at most."""
    cursor: str | None = None
    """Where the page begins: `next` of the page before."""


async def list_webhooks(call: SiteCall) -> EndpointList:
    """The endpoints that events are sent to."""
    return EndpointList(webhooks=await endpoints.list_endpoints(call.state.store.webhooks, call.site.site_id))


async def add_webhook(call: SiteCall, body: NewEndpoint) -> Response:
    """Adds an endpoint.

    The response holds the secret that signs what is sent there, which is shown this once. Send an `Idempotency-Key`
    to be able to repeat the call.
    """
    state, site_id = call.state, call.site.site_id

    async def make(keep: Keep) -> AddedEndpoint:
        return await endpoints.add(
            state.store.webhooks,
            _egress(call),
            state.keyring,
            site_id,
            body,
            call.now,
            secrets.token_bytes,
            lambda added: keep(site_id, added),
        )

    try:
        return await answered_once(call, body, 201, make)
    finally:
        await state.subscriptions.read_soon()


async def get_webhook(call: SiteCall, path: WebhookPath) -> Endpoint:
    """One endpoint."""
    return await endpoints.get(call.state.store.webhooks, call.site.site_id, path.id)


async def change_webhook(call: SiteCall, path: WebhookPath, body: EndpointChanges) -> Endpoint:
    """Changes an endpoint, and leaves the fields alone that are not sent.

    Disabling it gives up the deliveries that wait.
    """
    hooks = call.state.store.webhooks
    changed = await endpoints.change(hooks, _egress(call), call.site.site_id, path.id, body, call.now)
    await call.state.subscriptions.read_soon()
    return changed


async def remove_webhook(call: SiteCall, path: WebhookPath) -> None:
    """Removes an endpoint and its deliveries."""
    await endpoints.remove(call.state.store.webhooks, call.site.site_id, path.id)


async def list_deliveries(call: SiteCall, path: WebhookPath, query: DeliveriesQuery) -> DeliveryList:
    """The deliveries to an endpoint, the newest first."""
    hooks = call.state.store.webhooks
    found = await endpoints.deliveries(hooks, call.site.site_id, path.id, query.limit, query.cursor)
    return DeliveryList(deliveries=found.deliveries, next=found.next)


async def retry_delivery(call: SiteCall, path: DeliveryPath) -> Empty:
    """Sends an event again that was delivered or given up."""
    await endpoints.retry(call.state.store.webhooks, call.site.site_id, path.id, path.delivery, call.now)
    return EMPTY


async def resend_deliveries(call: SiteCall, path: WebhookPath, body: ResendRequest) -> Resent:
    """Sends the events again that were given up and happened at a time or later, at most 10,000 of them."""
    try:
        since = read_time(body.since)
    except ValueError as error:
        raise Invalid.of("since", str(error)) from None
    return await endpoints.resend(call.state.store.webhooks, call.site.site_id, path.id, since, call.now)


def _egress(call: SiteCall) -> EgressPolicy:
    return EgressPolicy(call.state.settings.webhook_networks)


_OF_ENDPOINT: Final = ("get_webhook", "change_webhook", "list_deliveries", "remove_webhook")

OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/webhooks",
        handler=list_webhooks,
        tag="webhooks",
        scope="admin",
        responses={200: ResponseSpec(EndpointList, "The endpoints.")},
    ),
    Operation(
        method="POST",
        path="/v1/webhooks",
        handler=add_webhook,
        tag="webhooks",
        scope="admin",
        body=RequestBody(NewEndpoint, MAX_BODY),
        responses={
            201: ResponseSpec(
                AddedEndpoint,
                "The endpoint, with its secret.",
                links={name: {"id": "/id"} for name in _OF_ENDPOINT},
            )
        },
        problems=(Conflict,),
        request_headers=(HEADER,),
    ),
    Operation(
        method="GET",
        path="/v1/webhooks/{id}",
        handler=get_webhook,
        tag="webhooks",
        scope="admin",
        path_params=WebhookPath,
        responses={200: ResponseSpec(Endpoint, "The endpoint.")},
        problems=(NotFound,),
    ),
    Operation(
        method="PATCH",
        path="/v1/webhooks/{id}",
        handler=change_webhook,
        tag="webhooks",
        scope="admin",
        path_params=WebhookPath,
        body=RequestBody(EndpointChanges, MAX_BODY),
        responses={200: ResponseSpec(Endpoint, "The endpoint as it is now.")},
        problems=(NotFound,),
    ),
    Operation(
        method="DELETE",
        path="/v1/webhooks/{id}",
        handler=remove_webhook,
        tag="webhooks",
        scope="admin",
        path_params=WebhookPath,
        responses={204: ResponseSpec(text="It is gone.")},
        problems=(NotFound,),
    ),
    Operation(
        method="GET",
        path="/v1/webhooks/{id}/deliveries",
        handler=list_deliveries,
        tag="webhooks",
        scope="admin",
        path_params=WebhookPath,
        query=DeliveriesQuery,
        responses={200: ResponseSpec(DeliveryList, "The deliveries.")},
        problems=(NotFound,),
    ),
    Operation(
        method="POST",
        path="/v1/webhooks/{id}/deliveries/{delivery}/retry",
        handler=retry_delivery,
        tag="webhooks",
        scope="admin",
        path_params=DeliveryPath,
        responses={202: ResponseSpec(Empty, "It is due again.")},
        problems=(NotFound, Conflict),
    ),
    Operation(
        method="POST",
        path="/v1/webhooks/{id}/resend",
        handler=resend_deliveries,
        tag="webhooks",
        scope="admin",
        path_params=WebhookPath,
        body=RequestBody(ResendRequest, MAX_BODY),
        responses={202: ResponseSpec(Resent, "They are due again.")},
        problems=(NotFound, Conflict),
    ),
]
