"""Lists of things that lower layers define, as objects that can get more fields."""

from __future__ import annotations

import msgspec

from grapevine.analytics.answers import AnswerView
from grapevine.analytics.mentions import MentionView
from grapevine.analytics.spikes import SpikeView
from grapevine.mentions.feeds.schemas import FeedView
from grapevine.webhooks.endpoints import Delivery, Endpoint


class SpikeList(msgspec.Struct, frozen=True, omit_defaults=True):
    """Spikes, the newest first."""

    spikes: list[SpikeView]
    """The spikes that were raised in the period."""
    next: str | None = None
    """The cursor of the next page; absent where this is the last."""


class MentionList(msgspec.Struct, frozen=True, omit_defaults=True):
    """Mentions, the newest first."""

    mentions: list[MentionView]
    """The mentions that became known in the period."""
    next: str | None = None
    """The cursor of the next page; absent where this is the last."""


class AnswerPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Answers, the newest first."""

    answers: list[AnswerView]
    """The answers of the period."""
    next: str | None = None
    """The cursor of the next page; absent where this is the last."""


class EndpointList(msgspec.Struct, frozen=True):
    """The endpoints of a site."""

    webhooks: list[Endpoint]
    """The endpoints, the oldest first."""


class DeliveryList(msgspec.Struct, frozen=True, omit_defaults=True):
    """Deliveries of an endpoint."""

    deliveries: list[Delivery]
    """The deliveries, the newest first."""
    next: str | None = None
    """The cursor of the next page; absent where this is the last."""


class FeedList(msgspec.Struct, frozen=True):
    """The feeds of a site."""

    feeds: list[FeedView]
    """The feeds, the oldest first."""
