"""The calls about webhooks; see ``groups``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from grapevine.api_schemas.lists import DeliveryList, EndpointList
from grapevine.client.administration import once
from grapevine.client.arguments import time_text
from grapevine.client.call import Call, Group, PagedList, Way, answer, call, no_answer, pages
from grapevine.collect.schemas import Empty
from grapevine.webhooks.endpoints import (
    AddedEndpoint,
    Delivery,
    Endpoint,
    EndpointChanges,
    NewEndpoint,
    ResendRequest,
    Resent,
)

Endpoints = list[Endpoint]


class WebhooksGroup(Group[Way]):
    """The endpoints that a site's events are sent to. All calls need the scope ``admin``."""

    @call("GET", "/v1/webhooks")
    def list(self) -> Call[Endpoints]:
        """Returns all endpoints, the oldest first."""
        return Call(read=lambda body: answer(EndpointList)(body).webhooks)

    @call("POST", "/v1/webhooks")
    def create(self, url: str, events: Sequence[str] | None = None) -> Call[AddedEndpoint]:
        """Adds an endpoint; without ``events`` it gets all of them. The ``secret`` is shown this once."""
        body = NewEndpoint(url=url, events=None if events is None else [*events])
        return Call(read=answer(AddedEndpoint), body=body, headers=once(), is_repeatable=True)

    @call("GET", "/v1/webhooks/{id}")
    def get(self, id: str) -> Call[Endpoint]:  # noqa: A002 - its name in the API
        """Returns one endpoint."""
        return Call(read=answer(Endpoint), path={"id": id})

    @call("PATCH", "/v1/webhooks/{id}")
    def change(
        self,
        id: str,  # noqa: A002 - its name in the API
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        enabled: bool | None = None,
    ) -> Call[Endpoint]:
        """Changes what is given of an endpoint. ``enabled=False`` gives up its pending deliveries."""
        body = EndpointChanges(url=url, events=None if events is None else [*events], enabled=enabled)
        return Call(read=answer(Endpoint), path={"id": id}, body=body)

    @call("DELETE", "/v1/webhooks/{id}")
    def delete(self, id: str) -> Call[None]:  # noqa: A002 - its name in the API
        """Deletes an endpoint with its deliveries."""
        return Call(read=no_answer, path={"id": id})

    @pages("GET", "/v1/webhooks/{id}/deliveries")
    def deliveries(
        self,
        id: str,  # noqa: A002 - its name in the API
        *,
        page_size: int = 100,
    ) -> PagedList[DeliveryList, Delivery]:
        """Yields the deliveries to an endpoint, the newest first."""
        return PagedList(
            at=lambda cursor: Call(
                read=answer(DeliveryList), path={"id": id}, query={"limit": page_size, "cursor": cursor}
            ),
            items=lambda page: page.deliveries,
            next=lambda page, _: page.next,
        )

    @call("POST", "/v1/webhooks/{id}/deliveries/{delivery}/retry")
    def retry(self, id: str, delivery: str) -> Call[Empty]:  # noqa: A002 - its name in the API
        """Sends a delivered or failed event again."""
        return Call(read=answer(Empty), path={"id": id, "delivery": delivery})

    @call("POST", "/v1/webhooks/{id}/resend")
    def resend(self, id: str, since: datetime) -> Call[Resent]:  # noqa: A002 - its name in the API
        """Sends the events again that were given up and happened at ``since`` or later, at most 10,000 of them."""
        return Call(read=answer(Resent), path={"id": id}, body=ResendRequest(since=time_text(since)))
