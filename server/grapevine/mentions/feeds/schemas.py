"""What the API says of feeds. Loads neither store nor settings, for the client."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

MOST_NAME: Final = 100

_Name = Annotated[str, msgspec.Meta(max_length=MOST_NAME)]


class NewFeed(msgspec.Struct, forbid_unknown_fields=True):
    """A feed to be read from now on."""

    url: Annotated[str, msgspec.Meta(max_length=2_048)]
    """The http(s) address of an RSS or Atom feed."""
    name: _Name | None = None
    """What to call it; without it, its host."""


class FeedChanges(msgspec.Struct, forbid_unknown_fields=True):
    """Changes of a feed."""

    name: _Name
    """What to call it."""


class FeedView(msgspec.Struct, frozen=True):
    """A feed that is read for mentions of the site's pages."""

    id: str
    """Its id."""
    url: str
    """Its address."""
    name: str
    """What it is called."""
    created_at: str
    """When it was added."""
    checked_at: str | None
    """When it was read last, or tried."""
    next_at: str
    """When it is read next."""
    failures: int
    """How often reading failed since it last succeeded."""
    error: str | None
    """What was wrong the last time; null where nothing was."""
