"""How the live streams of a process are divided among keys and sites."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from grapevine.errors import Busy, RateLimited
from grapevine.live.feed import LiveFeed
from grapevine.live.limits import MOST_PER_KEY, MOST_STREAMS, RESERVED_PART, RESERVED_STREAMS
from grapevine.sites.cache import Site
from grapevine.store.rows import KeyRow

RESERVED = MOST_STREAMS // RESERVED_PART
NOTHING: Any = None


class Owner:
    """The owner of a site, who makes a key for each stream that fits into no other."""

    def __init__(self, feed: LiveFeed, site_id: int) -> None:
        self.feed = feed
        self.site = cast("Site", SimpleNamespace(site_id=site_id))
        self.streams: list[KeyRow] = []

    def open_all(self) -> type[Exception]:
        """Opens streams until one is refused. Returns how."""
        while True:
            key = KeyRow(
                key_id=f"{self.site.site_id}-{len(self.streams) // MOST_PER_KEY}",
                site_id=self.site.site_id, name="", scope="read", created_at=0,
            )  # fmt: skip
            try:
                self.feed.enter(key, self.site)
            except (RateLimited, Busy) as refusal:
                return type(refusal)
            self.streams.append(key)

    def close_all(self) -> None:
        while self.streams:
            self.feed.leave(self.streams.pop(), self.site)


@pytest.fixture
def feed() -> LiveFeed:
    return LiveFeed(NOTHING, NOTHING, NOTHING, NOTHING)


def test_the_owner_of_a_site_leaves_each_other_site_a_stream_with_however_many_keys(feed: LiveFeed) -> None:
    assert RESERVED > RESERVED_STREAMS
    assert MOST_STREAMS - RESERVED > 200  # readers of one site are nothing unusual
    hog, others = Owner(feed, 1), [Owner(feed, site_id) for site_id in range(2, 2 + RESERVED // RESERVED_STREAMS)]
    assert hog.open_all() is RateLimited
    assert len(hog.streams) == MOST_STREAMS - RESERVED
    for other in others[:-1]:
        assert other.open_all() is RateLimited
        assert len(other.streams) == RESERVED_STREAMS
        assert hog.open_all() is RateLimited
    assert others[-1].open_all() is Busy
    assert (feed.streams, len(others[-1].streams)) == (MOST_STREAMS, RESERVED_STREAMS)
    assert feed.refused == Counter({"live-streams-of-site": 2 * len(others) - 1, "live-streams": 1})


def test_a_place_that_is_left_is_free_for_any_site(feed: LiveFeed) -> None:
    one, other = Owner(feed, 1), Owner(feed, 2)
    one.open_all()
    one.close_all()
    assert feed.streams == 0
    assert other.open_all() is RateLimited
    assert len(other.streams) == MOST_STREAMS - RESERVED
