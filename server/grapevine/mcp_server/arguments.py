"""What the tools may be asked: the arguments of each, with the bounds that assistants get to know.

Descriptions stand below the fields, as in ``api_schemas``. Where the API takes a thousand rows, a tool takes a hundred:
an assistant reads all of what it gets.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from grapevine.analytics.metrics import LONGEST_APP
from grapevine.analytics.series import METRICS
from grapevine.api_schemas.queries import FilterQuery, PeriodQuery
from grapevine.domain import enums

MOST_ROWS: Final = 100
MOST_NODES: Final = 200

Limit = Annotated[int, Meta(ge=1, le=MOST_ROWS)]


class PeriodArguments(PeriodQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period of whole days."""


class FilterArguments(FilterQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period, and the part of a site's numbers that is asked about."""


class SeriesArguments(FilterArguments, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number by interval."""

    metric: Annotated[str, Meta(extra_json_schema={"enum": [*METRICS]})]
    """Which number."""
    interval: Literal["hour", "day", "week", "month"] = "day"
    """How long each point is."""
    currency: Annotated[str, Meta(pattern="^[A-Za-z]{3}$", max_length=3)] | None = None
    """With `metric=value`: amounts in this currency (ISO 4217). Needed where the period has amounts in several."""
    reported_by: Literal["page", "key"] | None = None
    """With `metric=conversions` or `metric=value`: only what a page, or the site's own server, reported."""
    reason: Annotated[str | None, Meta(extra_json_schema={"enum": [*enums.DROP_REASONS]})] = None
    """With `metric=drops`: only those for this reason."""
    verdict: Annotated[str | None, Meta(extra_json_schema={"enum": [*enums.VERDICTS]})] = None
    """With `metric=suspects`: only those with this verdict."""
    bound: Annotated[str | None, Meta(extra_json_schema={"enum": [*enums.BOUND_KINDS]})] = None
    """With `metric=bound_hits`: only those of this bound."""
    preview: Annotated[str, Meta(min_length=1, max_length=LONGEST_APP)] | None = None
    """With `metric=unfurls`: only previews that this app fetched."""


class BreakdownArguments(FilterArguments, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rows of a dimension whose keys no visitor can choose."""

    by: Literal["channel", "source", "depth", "device"]
    """What each row stands for."""
    limit: Limit = MOST_ROWS
    """How many rows at most: those with the most visits and shares."""


class RowsArguments(FilterArguments, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rows of a dimension whose keys visitors can choose: pages, apps."""

    limit: Limit = 20
    """How many rows at most: those with the most visits and shares."""


class CascadesArguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first cascades in an order."""

    sort: Literal["size", "depth", "virality", "value", "recent"] = "size"
    """What comes first: the most visits, the deepest generation, the highest structural virality, the highest value
    (amounts of several currencies are added up as numbers), or the visit that came last."""
    limit: Limit = 20
    """How many cascades at most."""


class CascadeArguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cascade."""

    root: Annotated[str, Meta(pattern="^[0-9A-Za-z]{11}$", max_length=11)]
    """`root` of a cascade: the id of its first visit."""
    limit: Annotated[int, Meta(ge=1, le=MOST_NODES)] = MOST_ROWS
    """How many visits at most, from the root on by depth and time."""


class TokenArguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One share."""

    token: Annotated[str, Meta(max_length=4_096)]
    """The 23 letters and digits of a share token, or the whole shared address that holds it."""


class AttributionArguments(FilterArguments, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Credit for conversions."""

    model: Literal["first", "last", "linear", "position"] = "linear"
    """Which shares on the way get the credit: the first, the last, all alike, or 40 % each the first and the last."""
    goal: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    """Only conversions of this goal."""
    limit: Limit = 20
    """How many pages and shares at most; those beyond are added up as `(other)`."""


class CampaignArguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The links of a campaign."""

    campaign: Annotated[str, Meta(min_length=1, max_length=200)]
    """The campaign, exactly as the owner of the site named it when its links were made."""


class ListArguments(PeriodArguments, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest rows of a period."""

    limit: Limit = 20
    """How many at most, the newest first."""
