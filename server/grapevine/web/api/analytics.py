"""``/v1/stats/…``, ``/v1/attribution`` and ``/v1/spikes``: the numbers of a site for a period. Scope ``read``."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from grapevine.analytics.attribution import attribute_conversions
from grapevine.analytics.direct import Direct, direct_summary
from grapevine.analytics.metrics import DIMENSIONS, METRICS, BreakdownRow, Point, Summary
from grapevine.analytics.models.attribution import MODELS, Attribution
from grapevine.analytics.spikes import list_spikes
from grapevine.analytics.summary import MOST_ROWS, breakdown_by, metric_series, period_summary
from grapevine.api_schemas.lists import SpikeList
from grapevine.api_schemas.queries import FilterQuery, PeriodQuery
from grapevine.domain.periods import INTERVALS
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, ResponseSpec

MOST_SPIKES: Final = 1_000


class SeriesQuery(FilterQuery, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/stats/series``."""

    metric: Annotated[str, msgspec.Meta(examples=["visits"], extra_json_schema={"enum": [*METRICS]})]
    """Which number."""
    interval: Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*INTERVALS]})] = "day"
    """How long each point is."""


class BreakdownQuery(FilterQuery, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/stats/breakdown``."""

    by: Annotated[str, msgspec.Meta(examples=["channel"], extra_json_schema={"enum": [*DIMENSIONS]})]
    """What each row stands for."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)] = 100
    """How many rows at most: those with the most visits and shares."""


class AttributionQuery(FilterQuery, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/attribution``."""

    model: Annotated[str, msgspec.Meta(examples=["linear"], extra_json_schema={"enum": [*MODELS]})]
    """How the credit for a conversion is divided among the shares that led to it."""
    goal: Annotated[str | None, msgspec.Meta(examples=["order"])] = None
    """Only conversions of this goal."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)] = 100
    """How many pages and shares at most; those beyond are added up as `(other)`."""


class SpikesQuery(PeriodQuery, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/spikes``."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_SPIKES)] = 100
    """How many spikes at most, the newest first."""


async def get_summary(call: SiteCall, query: FilterQuery) -> Summary:
    """All numbers of a period."""
    return await period_summary(call.reads, call.site, query.period(call.now), query.filters())


async def get_series(call: SiteCall, query: SeriesQuery) -> list[Point]:
    """One number by hour, day, week or month, without gaps.

    The first week or month may begin before the period; what lies outside of the period is not counted.
    """
    period, filters = query.period(call.now), query.filters()
    return await metric_series(call.reads, call.site, query.metric, query.interval, period, filters)


async def get_breakdown(call: SiteCall, query: BreakdownQuery) -> list[BreakdownRow]:
    """The numbers of a period by channel, page, source, depth, device or app."""
    period, filters = query.period(call.now), query.filters()
    return await breakdown_by(call.reads, call.site, query.by, period, filters, query.limit)


async def get_direct(call: SiteCall, query: PeriodQuery) -> Direct:
    """Direct visits, and the estimate of private shares among them.

    It takes no filters, because the estimate needs all visits of a page.
    """
    return await direct_summary(call.reads, call.site, query.period(call.now))


async def get_attribution(call: SiteCall, query: AttributionQuery) -> Attribution:
    """Conversions and their value, credited to channels, pages and shares."""
    return await attribute_conversions(
        call.reads,
        call.site,
        query.model,
        query.period(call.now),
        query.filters(),
        goal=query.goal,
        limit=query.limit,
    )


async def get_spikes(call: SiteCall, query: SpikesQuery) -> SpikeList:
    """Pages whose returns rose far above their own rate, the newest first."""
    now = call.now
    return SpikeList(spikes=await list_spikes(call.state.store, call.site, now, query.period(now), query.limit))


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/stats/summary",
        handler=get_summary,
        tag="statistics",
        scope="read",
        query=FilterQuery,
        responses={200: ResponseSpec(Summary, "The numbers of the period.")},
    ),
    Operation(
        method="GET",
        path="/v1/stats/series",
        handler=get_series,
        tag="statistics",
        scope="read",
        query=SeriesQuery,
        responses={200: ResponseSpec(list[Point], "One point for each interval that touches the period, in order.")},
    ),
    Operation(
        method="GET",
        path="/v1/stats/breakdown",
        handler=get_breakdown,
        tag="statistics",
        scope="read",
        query=BreakdownQuery,
        responses={200: ResponseSpec(list[BreakdownRow], "The rows, those with the most visits and shares first.")},
    ),
    Operation(
        method="GET",
        path="/v1/stats/direct",
        handler=get_direct,
        tag="statistics",
        scope="read",
        query=PeriodQuery,
        responses={200: ResponseSpec(Direct, "The counts, the evidence and the estimate.")},
    ),
    Operation(
        method="GET",
        path="/v1/attribution",
        handler=get_attribution,
        tag="statistics",
        scope="read",
        query=AttributionQuery,
        responses={200: ResponseSpec(Attribution, "The credits.")},
    ),
    Operation(
        method="GET",
        path="/v1/spikes",
        handler=get_spikes,
        tag="statistics",
        scope="read",
        query=SpikesQuery,
        responses={200: ResponseSpec(SpikeList, "The spikes that were raised in the period.")},
    ),
]
