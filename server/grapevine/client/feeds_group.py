"""The calls about feeds; see ``groups``."""

from __future__ import annotations

from grapevine.api_schemas.lists import FeedList
from grapevine.client.administration import once
from grapevine.client.call import Call, Group, Way, answer, call, no_answer
from grapevine.mentions.feeds.schemas import FeedChanges, FeedView, NewFeed

Feeds = list[FeedView]


class FeedsGroup(Group[Way]):
    """The feeds that are read for mentions of a site's pages. All calls need the scope ``admin``."""

    @call("GET", "/v1/feeds")
    def list(self) -> Call[Feeds]:
        """Returns all feeds, the oldest first."""
        return Call(read=lambda body: answer(FeedList)(body).feeds)

    @call("POST", "/v1/feeds")
    def create(self, url: str, name: str | None = None) -> Call[FeedView]:
        """Adds a feed, which is read within a minute; without ``name`` it is called by its host."""
        return Call(read=answer(FeedView), body=NewFeed(url=url, name=name), headers=once(), is_repeatable=True)

    @call("GET", "/v1/feeds/{id}")
    def get(self, id: str) -> Call[FeedView]:  # noqa: A002 - its name in the API
        """Returns one feed."""
        return Call(read=answer(FeedView), path={"id": id})

    @call("PATCH", "/v1/feeds/{id}")
    def change(self, id: str, *, name: str) -> Call[FeedView]:  # noqa: A002 - its name in the API
        """Gives a feed another name."""
        return Call(read=answer(FeedView), path={"id": id}, body=FeedChanges(name=name))

    @call("DELETE", "/v1/feeds/{id}")
    def delete(self, id: str) -> Call[None]:  # noqa: A002 - its name in the API
        """Removes a feed; the mentions that it brought stay."""
        return Call(read=no_answer, path={"id": id})
