"""Events of ``/v1/live``: each is the JSON behind ``data:``, named by ``event:``."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from grapevine.domain import channels, enums

EVENTS: Final = ("visit", "share", "return", "conversion")
"""What is reported of a site; ``start``, ``gap`` and ``end`` are about the feed itself."""

_At = Annotated[str, msgspec.Meta(examples=["2026-11-21T09:30:00.000Z"])]
_Visit = Annotated[str, msgspec.Meta(examples=["00Yqi1yJE1R"])]
_Url = Annotated[str | None, msgspec.Meta(examples=["https://www.example.com/bread"])]
_Source = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*enums.SOURCES]})]
_Device = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*enums.DEVICES]})]
_Channel = Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*channels.CODES]})]


class LiveQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Query parameters of the live feed."""

    kinds: Annotated[str | None, msgspec.Meta(examples=["share,return"])] = None
    """Only these events, separated by commas: `visit`, `share`, `return`, `conversion`. Without it, all of them.
    `start`, `gap` and `end` come in any case."""


class LiveVia(msgspec.Struct, frozen=True, kw_only=True):
    """The share that a visit came through."""

    token: str
    """Its token, as `GET /v1/tokens/{token}` takes it."""
    visit: _Visit
    """The visit that shared."""
    channel: _Channel
    """The channel it was shared on."""
    n: int
    """Which share of that visit on that channel it was, from 0."""


class LiveVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit (events `visit` and `return`). A `return` came through somebody else's share and counts as such; every
    other visit is a `visit`."""

    visit: _Visit
    """The visit's id."""
    at: _At
    """When it began."""
    url: _Url
    """Its first page."""
    source: _Source
    """Where it came from."""
    device: _Device
    """The kind of device."""
    app: str | None
    """The app whose browser it is, where that is known."""
    depth: int
    """How many shares lie between it and the first visit of its cascade."""
    root: _Visit
    """The first visit of its cascade: itself where it came through no share."""
    parent: str | None
    """Its parent in the cascade; null where it came through no share."""
    via: LiveVia | None
    """The share that it came through."""
    is_self: bool = msgspec.field(name="self")
    """Whether the sharer's own browser opened its own link."""


class LiveShare(msgspec.Struct, frozen=True, kw_only=True):
    """A share, at its first sight (event `share`): the page reported it, or its first return proved it."""

    visit: _Visit
    """The visit that shared."""
    at: _At
    """When it was first seen."""
    url: _Url
    """The shared page."""
    token: str
    """Its token."""
    channel: _Channel
    """The channel."""
    n: int
    """Which share of that visit on that channel it is, from 0."""
    depth: int
    """The depth of the visit that shared."""
    source: _Source
    """Where the visit that shared came from."""
    device: _Device
    """The device of the visit that shared."""
    reported: bool
    """Whether the page reported it."""
    proven: bool
    """Whether somebody came through it."""


class LiveConversion(msgspec.Struct, frozen=True, kw_only=True):
    """A goal that was reached, or the value of one that was taken back (event `conversion`)."""

    visit: _Visit
    """The visit that reached it."""
    at: _At
    """When it was reached."""
    url: _Url
    """The first page of the visit."""
    goal: Annotated[str, msgspec.Meta(examples=["order"])]
    """The name of the goal."""
    id: str | None
    """What tells it from other conversions, as it was reported; an order's number."""
    value: Annotated[str | None, msgspec.Meta(examples=["49.00"])]
    """Its value, a decimal; null where none was said, or where the site does not count what pages say."""
    currency: Annotated[str | None, msgspec.Meta(examples=["EUR"])]
    """The currency of the value."""
    by: Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*enums.CONVERSION_REPORTERS]})]
    """Who reported it: a page, or a server with an API key."""
    source: _Source
    """Where the visit came from."""
    device: _Device
    """The device of the visit."""
    channel: str | None
    """The channel that the visit came through; null where it came through no share."""
    depth: int
    """The depth of the visit."""
    conversion: str = ""
    """The id of the conversion."""
    refund_of: str | None = None
    """Of a refund, the `id` of the conversion that it takes back in part or whole; its `value` is below 0."""


class LiveStart(msgspec.Struct, frozen=True, kw_only=True):
    """The feed has begun (event `start`): what is reported from now on is in it."""

    at: _At
    """The time of the server."""
    site: str
    """The public key of the site."""
    resumed: bool
    """Whether it goes on after the event that `Last-Event-ID` names."""


class LiveGap(msgspec.Struct, frozen=True, kw_only=True):
    """Something is missing here that cannot be sent any more (event `gap`); an export has it."""

    since: str | None
    """The time of the last event before it, as far as that is known."""
    at: _At
    """The time of the first event after it, or later."""
    reason: Literal["too-old", "too-much"]
    """`too-old`: `Last-Event-ID` is from before the events that are kept. `too-much`: more happened than is sent."""
    detail: str
    """The same in a sentence."""


class LiveEnd(msgspec.Struct, frozen=True, kw_only=True):
    """The last event of a stream (event `end`)."""

    reason: Literal["shutting-down", "key-revoked", "site-deleted", "too-slow", "unavailable"]
    """Why the server ends it."""
    detail: str
    """The same in a sentence."""


class LiveEvents(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The events of a stream. Each has a name, and its `data` is JSON: the object of the field with the same name."""

    start: LiveStart | None = None
    """The first event."""
    visit: LiveVisit | None = None
    """A visit that is no return."""
    returned: LiveVisit | None = msgspec.field(default=None, name="return")
    """A visit through somebody else's share."""
    share: LiveShare | None = None
    """A share."""
    conversion: LiveConversion | None = None
    """A goal that was reached."""
    gap: LiveGap | None = None
    """Something is missing here."""
    end: LiveEnd | None = None
    """The last event of a stream that the server ends."""
