"""``/v1/feeds``: the feeds that are read for mentions of a site's pages. Scope ``admin``."""

from __future__ import annotations

import secrets
from typing import Annotated, Final

import msgspec
from starlette.responses import Response

from grapevine.api_schemas.lists import FeedList
from grapevine.errors import Conflict, NotFound
from grapevine.mentions.feeds import administration
from grapevine.mentions.feeds.administration import feed_egress
from grapevine.mentions.feeds.schemas import FeedChanges, FeedView, NewFeed
from grapevine.web.api.call import SiteCall
from grapevine.web.api.once import HEADER, Keep, answered_once
from grapevine.web.api.operation import Operation, RequestBody, ResponseSpec

MAX_BODY: Final = 8_192


class FeedPath(msgspec.Struct, frozen=True):
    """The path of one feed."""

    id: Annotated[str, msgspec.Meta(examples=["feed_5b2f0f7c7b1e4a0f9d3c2b1a09f8e7d6"])]
    """The feed's id."""


async def list_feeds(call: SiteCall) -> FeedList:
    """The feeds that are read for mentions of the site's pages."""
    return FeedList(feeds=await administration.list_feeds(call.state.store.feeds, call.site.site_id))


async def add_feed(call: SiteCall, body: NewFeed) -> Response:
    """Adds a feed, which is read within a minute, and every 15 minutes from then on.

    Each entry that names an address of the site's pages becomes a mention. Send an `Idempotency-Key` to be able to
    repeat the call.
    """
    state, site_id = call.state, call.site.site_id

    async def make(keep: Keep) -> FeedView:
        return await administration.add(
            state.store.feeds,
            feed_egress(state.settings),
            site_id,
            body,
            call.now,
            secrets.token_bytes,
            lambda added: keep(site_id, added),
        )

    return await answered_once(call, body, 201, make)


async def get_feed(call: SiteCall, path: FeedPath) -> FeedView:
    """One feed, and how its last reading ended."""
    return await administration.get(call.state.store.feeds, call.site.site_id, path.id)


async def change_feed(call: SiteCall, path: FeedPath, body: FeedChanges) -> FeedView:
    """Gives a feed another name."""
    return await administration.rename(call.state.store.feeds, call.site.site_id, path.id, body)


async def remove_feed(call: SiteCall, path: FeedPath) -> None:
    """Removes a feed; the mentions that it brought stay."""
    await administration.remove(call.state.store.feeds, call.site.site_id, path.id)


_OF_FEED: Final = ("get_feed", "change_feed", "remove_feed")

OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/feeds",
        handler=list_feeds,
        tag="feeds",
        scope="admin",
        responses={200: ResponseSpec(FeedList, "The feeds.")},
    ),
    Operation(
        method="POST",
        path="/v1/feeds",
        handler=add_feed,
        tag="feeds",
        scope="admin",
        body=RequestBody(NewFeed, MAX_BODY),
        responses={201: ResponseSpec(FeedView, "The feed.", links={name: {"id": "/id"} for name in _OF_FEED})},
        problems=(Conflict,),
        request_headers=(HEADER,),
    ),
    Operation(
        method="GET",
        path="/v1/feeds/{id}",
        handler=get_feed,
        tag="feeds",
        scope="admin",
        path_params=FeedPath,
        responses={200: ResponseSpec(FeedView, "The feed.")},
        problems=(NotFound,),
    ),
    Operation(
        method="PATCH",
        path="/v1/feeds/{id}",
        handler=change_feed,
        tag="feeds",
        scope="admin",
        path_params=FeedPath,
        body=RequestBody(FeedChanges, MAX_BODY),
        responses={200: ResponseSpec(FeedView, "The feed as it is now.")},
        problems=(NotFound,),
    ),
    Operation(
        method="DELETE",
        path="/v1/feeds/{id}",
        handler=remove_feed,
        tag="feeds",
        scope="admin",
        path_params=FeedPath,
        responses={204: ResponseSpec(text="It is gone.")},
        problems=(NotFound,),
    ),
]
